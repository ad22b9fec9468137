package casework

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// sealKind is what takes the place of an identity type when a key is made, so that no
// number of a person makes the same.
const sealKind = "onehall-seal-v1"

// sealer is the cipher for what belongs to one owner. Its key comes from the identity
// secret, as the owner's own key does: who has the tables without the secret can read
// neither.
func (s *Service) sealer(owner string) (cipher.AEAD, error) {
	key, err := base64.RawURLEncoding.DecodeString(s.identity(sealKind, owner))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("casework: no key to seal with: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("casework: seal: %w", err)
	}
	return cipher.NewGCM(block)
}

// seal encrypts a message that belongs to an owner. place is what it may be read as: a
// row moved to another place does not open there.
func (s *Service) seal(owner, place string, m proto.Message) ([]byte, error) {
	box, err := s.sealer(owner)
	if err != nil {
		return nil, err
	}
	plain, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("casework: seal: %w", err)
	}
	nonce := make([]byte, box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("casework: seal: %w", err)
	}
	return box.Seal(nonce, nonce, plain, []byte(place)), nil
}

var errSealed = errors.New("casework: sealed data is damaged or of another secret")

// unseal decrypts what seal encrypted.
func (s *Service) unseal(owner, place string, data []byte, into proto.Message) error {
	box, err := s.sealer(owner)
	if err != nil {
		return err
	}
	if len(data) < box.NonceSize() {
		return errSealed
	}
	plain, err := box.Open(nil, data[:box.NonceSize()], data[box.NonceSize():], []byte(place))
	if err != nil {
		return errSealed
	}
	if err := proto.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("casework: unseal: %w", err)
	}
	return nil
}
