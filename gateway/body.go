package gateway

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/onehall/onehall/gateway/internal/route"
	"github.com/onehall/onehall/gateway/internal/strictjson"
	"github.com/onehall/onehall/services/platform/fault"
)

// prepare checks everything about a REST request that its route decides, and puts a read
// and checked body in the place of the one on the wire.
func (c Config) prepare(w http.ResponseWriter, r *http.Request, rt *route.Route) error {
	if !acceptable(r.Header.Values("Accept"), rt.Streams()) {
		return fault.NotAcceptable
	}
	if err := rt.CheckQuery(r.URL.RawQuery); err != nil {
		return err
	}
	if rt.Body == nil {
		// The generated handlers read a body to its end even where they have no use for
		// one, so one that never ends would never be answered.
		if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
			return fault.InvalidArgument
		}
		r.Body = http.NoBody
		return nil
	}
	data, err := c.readJSON(w, r, rt)
	if err != nil {
		return err
	}
	if err := strictjson.Check(data, rt.Body, rt.BodyField); err != nil {
		return err
	}
	r.Body = newReadBody(data)
	return nil
}

// readJSON reads a body that says it is JSON and is not too large.
func (c Config) readJSON(w http.ResponseWriter, r *http.Request, rt *route.Route) ([]byte, error) {
	if !isJSON(r) {
		return nil, fault.UnsupportedMediaType
	}
	if rt.Uploads() {
		return c.readAll(w, r, c.MaxUpload)
	}
	return c.readAll(w, r, c.MaxBody)
}

func (c Config) readAll(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := fault.BodyTooLarge.New(fault.Meta("max_bytes", strconv.FormatInt(limit, 10)))
	if r.ContentLength > limit {
		// Nothing of it is read, so the connection is of no further use.
		w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	body := http.MaxBytesReader(w, r.Body, limit)
	var data []byte
	var err error
	if r.ContentLength > 0 {
		data = make([]byte, r.ContentLength)
		_, err = io.ReadFull(body, data)
	} else {
		data, err = io.ReadAll(body)
	}
	if err == nil {
		return data, nil
	}
	w.Header().Set("Connection", "close")
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, tooLarge
	}
	return nil, fault.BadJSON.New(fault.Cause(err))
}

func isJSON(r *http.Request) bool {
	types := r.Header.Values("Content-Type")
	if len(types) != 1 || len(r.Header.Values("Content-Encoding")) > 0 {
		return false
	}
	mediaType, params, err := mime.ParseMediaType(types[0])
	if err != nil || mediaType != jsonType {
		return false
	}
	charset, has := params["charset"]
	return !has || strings.EqualFold(charset, "utf-8")
}

const (
	sseType    = "text/event-stream"
	ndjsonType = "application/x-ndjson"
)

// acceptable says whether we can answer in a type the caller takes.
func acceptable(accept []string, streams bool) bool {
	if len(accept) == 0 {
		return true
	}
	offers := []string{"*/*", "application/*", jsonType}
	if streams {
		offers = append(offers, "text/*", sseType, ndjsonType)
	}
	return slices.ContainsFunc(offers, func(offer string) bool { return accepts(accept, offer) })
}

// accepts says whether the headers name the type with a weight above zero.
func accepts(accept []string, mediaType string) bool {
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil || name != mediaType {
			continue
		}
		weight, has := params["q"]
		if !has {
			return true
		}
		if q, err := strconv.ParseFloat(weight, 64); err == nil && q > 0 {
			return true
		}
	}
	return false
}
