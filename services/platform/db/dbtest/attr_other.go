//go:build unix && !linux

package dbtest

import "syscall"

// attributes run a process as somebody else; the watching shell ends it.
func attributes(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred}
}
