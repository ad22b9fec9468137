package dbtest

import "syscall"

// attributes run a process as somebody else and end it when this process dies.
func attributes(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGQUIT}
}
