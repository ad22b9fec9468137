package e2e

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// TestFiles sends a file through the front door, kills whoever keeps it in the middle,
// goes on where it stopped, and reads it back by another link.
func TestFiles(t *testing.T) {
	house.Each(t, func(t *testing.T, o house.Options) {
		s := newScene(t, o)
		ctx := t.Context()
		_, client := s.person(1)
		all := append([]byte("合同正文\n"), bytes.Repeat([]byte("0123456789abcde\n"), 200_000)...)
		up := s.announce(client, &caseworkv1.Upload{FileName: "合同.txt", Size: int64(len(all))})
		if code := s.send(ctx, up.GetLink(), 0, all[:1<<20]); code != http.StatusNoContent {
			t.Fatalf("first megabyte: %d", code)
		}
		s.Kill("casework")
		s.Restart("casework")
		at := 0
		house.Eventually(t, "the upload to go on", func(ctx context.Context) (bool, string) {
			if err := client.Get(ctx, "/v1/"+up.GetName(), up); err != nil {
				return false, jsonOf(err)
			}
			code, h, _ := s.bytesOf(ctx, http.MethodHead, up.GetLink(), nil, nil)
			n, err := strconv.Atoi(h.Get("Upload-Offset"))
			at = n
			return code == http.StatusOK && err == nil, strconv.Itoa(code)
		})
		if at != 1<<20 || up.GetOffset() != 1<<20 {
			t.Fatalf("%d bytes are left of what was answered for", at)
		}
		// A phone sends in pieces, the same one twice when the answer is lost.
		for ; at < len(all); at += 500_000 {
			end := min(at+500_000, len(all))
			if code := s.send(ctx, up.GetLink(), at, all[at:end]); code != http.StatusNoContent {
				t.Fatalf("at %d: %d", at, code)
			}
			if code := s.send(ctx, up.GetLink(), at, all[at:end]); code != http.StatusConflict {
				t.Fatalf("again at %d: %d", at, code)
			}
		}
		m := &caseworkv1.Material{}
		began := time.Now()
		s.must("complete", client.Post(ctx, "/v1/"+up.GetName()+":complete", &caseworkv1.CompleteUploadRequest{RequestId: newID()}, m))
		t.Logf("completed %d bytes in %v", len(all), time.Since(began).Round(time.Millisecond))
		s.Kill("casework")
		s.Restart("casework")
		d := &caseworkv1.Download{}
		house.Eventually(t, "the file to be read", func(ctx context.Context) (bool, string) {
			err := client.Post(ctx, "/v1/"+m.GetName()+":download", &caseworkv1.CreateDownloadRequest{RequestId: newID()}, d)
			if err != nil {
				return false, jsonOf(err)
			}
			code, _, _ := s.bytesOf(ctx, http.MethodHead, d.GetLink(), nil, nil)
			return code == http.StatusOK, strconv.Itoa(code)
		})
		code, h, got := s.bytesOf(ctx, http.MethodGet, d.GetLink(), nil, nil)
		if code != http.StatusOK || !bytes.Equal(got, all) {
			t.Errorf("read: %d, %d bytes of %d", code, len(got), len(all))
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Content-Type": "text/plain",
			"Content-Disposition": "attachment; filename=\"__.txt\"; filename*=UTF-8''%E5%90%88%E5%90%8C.txt", "Cache-Control": "private, no-store",
		} {
			if v := h.Values(name); len(v) != 1 || v[0] != want {
				t.Errorf("%s: %q", name, v)
			}
		}
		if code, _, got := s.bytesOf(ctx, http.MethodGet, d.GetLink(), map[string]string{"Range": "bytes=0-11"}, nil); code != http.StatusPartialContent || string(got) != "合同正文" {
			t.Errorf("range: %d %q", code, got)
		}
		if code, _, _ := s.bytesOf(ctx, http.MethodDelete, d.GetLink(), nil, nil); code != http.StatusMethodNotAllowed {
			t.Errorf("DELETE: %d", code)
		}
	})
}
