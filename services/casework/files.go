package casework

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/boot"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// FilesConfig is about the files that people hand in.
type FilesConfig struct {
	// Listen is the address that moves bytes. The gateway finds it through etcd and
	// passes `/files/` on to it.
	Listen string `koanf:"listen"`
	// PublicURL begins the links when files are reached at an address of their own;
	// empty makes them paths on the gateway's.
	PublicURL string `koanf:"public_url"`
	// TempDir is where a file lies while it is checked or sent; empty means the
	// system's. Nothing in it has a name, so nothing outlives the process.
	TempDir string `koanf:"temp_dir"`
	// Store is where files are kept.
	Store blob.Config `koanf:"store"`
	// MaxBytes is how large a file may be where the item's guide does not say.
	MaxBytes int64 `koanf:"max_bytes"`
	// OwnerBytes is how much one person may keep, OwnerUploads how many uploads of one
	// person may be open.
	OwnerBytes   int64 `koanf:"owner_bytes"`
	OwnerUploads int   `koanf:"owner_uploads"`
	// Transfers is how many files may be on the move at once in one process.
	Transfers int `koanf:"transfers"`
	// UploadLife is how long an upload waits for its next bytes, UploadLink and
	// DownloadLink how long a link works.
	UploadLife   time.Duration `koanf:"upload_life"`
	UploadLink   time.Duration `koanf:"upload_link"`
	DownloadLink time.Duration `koanf:"download_link"`
	// UnusedDays is how many days a file is kept that no case uses, RetentionDays how
	// many after the last case that used it has ended; 0 keeps it for ever.
	UnusedDays    int `koanf:"unused_days"`
	RetentionDays int `koanf:"retention_days"`
	// CopiesAccepted are the divisions of the halls that accept on copies whose original
	// nobody has seen.
	CopiesAccepted []string `koanf:"copies_accepted"`
}

func defaultFiles() FilesConfig {
	return FilesConfig{
		Listen: "127.0.0.1:0", Store: blob.Config{Driver: blob.DriverFile}, MaxBytes: 20 << 20, OwnerBytes: 500 << 20, OwnerUploads: 20,
		Transfers: 32, UploadLife: 24 * time.Hour, UploadLink: 15 * time.Minute, DownloadLink: 5 * time.Minute, UnusedDays: 365,
	}
}

// maxFile is larger than any limit a guide may set.
const maxFile = 1 << 30

func (c FilesConfig) check() error {
	if c.MaxBytes < 1 || c.MaxBytes > maxFile || c.OwnerBytes < c.MaxBytes || c.OwnerUploads < 1 || c.Transfers < 1 {
		return errors.New("casework: files: max_bytes, owner_bytes, owner_uploads and transfers must be positive, and owner_bytes the largest")
	}
	if c.UploadLife < time.Minute || c.UploadLink < time.Second || c.DownloadLink < time.Second {
		return errors.New("casework: files: upload_life, upload_link and download_link are too short")
	}
	if c.UnusedDays < 1 || c.RetentionDays < 0 {
		return errors.New("casework: files: unused_days must be at least 1, and retention_days not negative")
	}
	return nil
}

// files is what the service has to keep files with.
type files struct {
	cfg   FilesConfig
	store blob.Store
	links links
	// moving has a place for each file on the move, wake one for a word to the sweep.
	moving, wake chan struct{}
}

func openFiles(cfg FilesConfig, secret boot.Secret) (*files, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	st, err := blob.Open(cfg.Store)
	if err != nil {
		return nil, fmt.Errorf("casework: %w", err)
	}
	// The links' key is made of the secret that seals page tokens, for this purpose alone.
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	_, _ = mac.Write([]byte("onehall file links")) // a hash never fails to write
	return &files{cfg: cfg, store: st, links: links{mac.Sum(nil), cfg.PublicURL}, moving: make(chan struct{}, cfg.Transfers), wake: make(chan struct{}, 1)}, nil
}

// temp is a file without a name: whatever becomes of the process, it is gone.
func (f *files) temp() (*os.File, error) {
	t, err := os.CreateTemp(f.cfg.TempDir, "onehall-*")
	if err != nil {
		return nil, fmt.Errorf("casework: temporary file: %w", err)
	}
	if err := os.Remove(t.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("casework: temporary file: %w", err), t.Close())
	}
	return t, nil
}

// materialOf reads a stored material.
func materialOf(row store.Material) (*caseworkv1.Material, error) {
	m := &caseworkv1.Material{}
	if err := proto.Unmarshal(row.Data, m); err != nil {
		return nil, fmt.Errorf("casework: stored %s: %w", row.Name, err)
	}
	return m, nil
}

// takeFiles fills in what is known of the kept files that materials name. Each must be
// the applicant's own; another's is told from no unknown one.
func (s *Service) takeFiles(ctx context.Context, owner string, item *rules.Item, sent []*caseworkv1.CaseMaterial) error {
	for _, m := range sent {
		if m.GetMaterial() == "" {
			continue
		}
		row, found, err := store.GetMaterial(ctx, s.db.Read(), m.GetMaterial())
		if err != nil {
			return err
		}
		if !found || !row.Live || owner == "" || row.Owner != owner {
			return fault.MaterialNotFound.New(fault.Field("materials"))
		}
		kept, err := materialOf(row)
		if err != nil {
			return err
		}
		if over(kept.GetValidUntil(), s.clock.Now()) {
			return fault.MaterialExpired.New(fault.Field("materials"), fault.Meta("valid_until", kept.GetValidUntil()))
		}
		takeFile(m, kept, item)
	}
	return nil
}

// takeFile puts a kept file into a material of a case.
func takeFile(m *caseworkv1.CaseMaterial, kept *caseworkv1.Material, item *rules.Item) {
	source := rules.SourceUnknown
	for _, asked := range item.Materials {
		if asked.ID == m.GetMaterialId() {
			source = asked.Source
		}
	}
	m.Material, m.FileName, m.Sha256, m.Size, m.MediaType = kept.GetName(), kept.GetFileName(), kept.GetSha256(), kept.GetSize(), kept.GetMediaType()
	m.TrustLevel = caseworkv1.TrustLevel(rules.TrustAt(rules.Trust(kept.GetTrustLevel()), source))
	m.Paper, m.Promised = false, false
}

// over reports a last day that has passed.
func over(lastDay string, now time.Time) bool {
	return lastDay != "" && lastDay < workday.DateOf(now).String()
}

// useFiles notes which kept files a case has taken up.
func useFiles(ctx context.Context, tx *db.Tx, c *caseworkv1.Case) error {
	for _, m := range c.GetMaterials() {
		if m.GetMaterial() == "" {
			continue
		}
		if err := store.UseMaterial(ctx, tx, m.GetMaterial(), c.GetName()); err != nil {
			return err
		}
	}
	return nil
}

// reliable refuses to accept a case on copies whose original nobody has seen. What a
// window has checked meanwhile is noted in the case.
func (s *Service) reliable(ctx context.Context, t *turn) error {
	open := false
	for _, m := range t.c.GetMaterials() {
		if m.GetMaterial() == "" || m.GetTrustLevel() != caseworkv1.TrustLevel_TRUST_LEVEL_UPLOADED {
			continue
		}
		row, found, err := store.GetMaterial(ctx, s.db.Read(), m.GetMaterial())
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("casework: %s has lost %s", t.c.GetName(), m.GetMaterial())
		}
		kept, err := materialOf(row)
		if err != nil {
			return err
		}
		if kept.GetTrustLevel() == caseworkv1.TrustLevel_TRUST_LEVEL_CHECKED {
			m.TrustLevel = kept.GetTrustLevel()
			continue
		}
		open = true
	}
	if !open {
		return nil
	}
	item, err := s.itemOfCase(t.c)
	if err != nil {
		return err
	}
	return rules.CheckTrust(item, plainMaterials(t.c.GetMaterials()), s.copiesAccepted(hallOf(t.c.GetName())))
}
