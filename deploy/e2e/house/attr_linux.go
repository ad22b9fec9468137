package house

import "syscall"

// attributes end a process when the tests end, however they do.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
