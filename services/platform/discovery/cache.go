package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The cache lets a process that starts while etcd is down find the peers that
// an earlier process knew. It is a hint: a stale address fails to connect and
// costs nothing more.

type cacheFile struct {
	Addrs []string `json:"addrs"`
}

func cachePath(dir, cluster, role string) string {
	return filepath.Join(dir, fmt.Sprintf("discovery-%s-%s.json", filepath.Base(cluster), filepath.Base(role)))
}

func readCache(dir, cluster, role string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(cachePath(dir, cluster, role))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f cacheFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	return f.Addrs, nil
}

// writeCache replaces the file by renaming, so that a crash leaves the old or
// the new list and never half of one.
func writeCache(dir, cluster, role string, addrs []string) error {
	if dir == "" {
		return nil
	}
	raw, err := json.Marshal(cacheFile{Addrs: addrs})
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "discovery-*.tmp")
	if err != nil {
		return err
	}
	_, werr := tmp.Write(raw)
	cerr := tmp.Close()
	if err := errors.Join(werr, cerr); err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), cachePath(dir, cluster, role))
}
