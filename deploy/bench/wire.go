package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// wire is one keep-alive connection of a caller that spends as little as it can: it
// sends prepared bytes and reads just enough of the answer. The load shares the cores
// with what it measures, and net/http's client would take a third of them.
type wire struct {
	host string
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

// dialWire connects to a gateway's base address.
func dialWire(base string) (*wire, error) {
	host := strings.TrimPrefix(base, "http://")
	conn, err := net.DialTimeout("tcp", host, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &wire{host: host, conn: conn, in: bufio.NewReaderSize(conn, 16<<10)}, nil
}

func (w *wire) close() error { return w.conn.Close() }

// patience is how long one answer may take.
const patience = 20 * time.Second

// post sends a JSON body as somebody and returns the answer, valid until the next call.
func (w *wire) post(path, token string, body []byte) (status int, answer []byte, err error) {
	w.out = append(w.out[:0], "POST "...)
	w.out = append(append(w.out, path...), " HTTP/1.1\r\nHost: "...)
	w.out = append(append(w.out, w.host...), "\r\nContent-Type: application/json\r\nAuthorization: Bearer "...)
	w.out = append(append(w.out, token...), "\r\nContent-Length: "...)
	w.out = strconv.AppendInt(w.out, int64(len(body)), 10)
	w.out = append(append(w.out, "\r\n\r\n"...), body...)
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if _, err := w.conn.Write(w.out); err != nil {
		return 0, nil, err
	}
	return w.read()
}

var contentLength = []byte("content-length:")

// read reads one answer with a length, as the gateway gives all but streams.
func (w *wire) read() (status int, answer []byte, err error) {
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, fmt.Errorf("status line %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length := -1
	for {
		if line, err = w.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 {
		return 0, nil, errors.New("an answer without a length")
	}
	if cap(w.body) < length {
		w.body = make([]byte, length, 2*length)
	}
	w.body = w.body[:length]
	_, err = io.ReadFull(w.in, w.body)
	return status, w.body, err
}

// field finds a top-level text field in an answer. The marshaler may put a space after
// the colon; names and etags hold nothing that JSON escapes.
func field(answer []byte, name string) string {
	key := []byte(`"` + name + `":`)
	at := bytes.Index(answer, key)
	if at < 0 {
		return ""
	}
	rest := bytes.TrimLeft(answer[at+len(key):], ` "`)
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return ""
	}
	return string(rest[:end])
}
