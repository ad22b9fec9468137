//go:build unix && !linux

package house

import "syscall"

// attributes end nothing here: a test that is killed leaves its processes behind.
func attributes() *syscall.SysProcAttr { return nil }
