// Package kubernetes_test holds the ways to deploy OneHall (Kubernetes, systemd, the
// image) to the program: every role is there, and every key they set exists.
package kubernetes_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/knadh/koanf/parsers/yaml"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/boot"
)

// object is one document of a manifest.
type object map[string]any

// at follows names into the object; nil where there is nothing.
func (o object) at(path ...string) any {
	var v any = map[string]any(o)
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (o object) text(path ...string) string { s, _ := o.at(path...).(string); return s }

func (o object) list(path ...string) []object {
	items, _ := o.at(path...).([]any)
	all := make([]object, len(items))
	for i, item := range items {
		all[i], _ = item.(map[string]any)
	}
	return all
}

func manifests(t *testing.T, pattern string) []object {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is %s: %v", pattern, err)
	}
	var all []object
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range bytes.Split(raw, []byte("\n---\n")) {
			m, err := yaml.Parser().Unmarshal(doc)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, m)
		}
	}
	return all
}

func ofKind(all []object, kind string) map[string]object {
	found := map[string]object{}
	for _, o := range all {
		if o.text("kind") == kind {
			found[o.text("metadata", "name")] = o
		}
	}
	return found
}

// container is the one container of a Deployment.
func container(t *testing.T, d object) object {
	t.Helper()
	cs := d.list("spec", "template", "spec", "containers")
	if len(cs) != 1 || cs[0].text("name") != "onehall" {
		t.Fatalf("%s has %d containers, want the one called onehall", d.text("metadata", "name"), len(cs))
	}
	return cs[0]
}

// shared is the patch with what all roles have in common.
func shared(t *testing.T) object {
	t.Helper()
	for _, o := range manifests(t, "role.yaml") {
		return o
	}
	return nil
}

func TestEveryRoleIsDeployed(t *testing.T) {
	all := manifests(t, "*.yaml")
	deployments, budgets := ofKind(all, "Deployment"), ofKind(all, "PodDisruptionBudget")
	delete(deployments, "any") // the patch
	if d := cmp.Diff(sorted(stand.Roles()), slices.Sorted(maps.Keys(deployments))); d != "" {
		t.Error("Deployments:", d)
	}
	if d := cmp.Diff(sorted(stand.Roles()), slices.Sorted(maps.Keys(budgets))); d != "" {
		t.Error("PodDisruptionBudgets:", d)
	}
	for role, d := range deployments {
		labels := map[string]any{"app.kubernetes.io/name": "onehall", "app.kubernetes.io/component": role}
		if diff := cmp.Diff(labels, d.at("metadata", "labels")); diff != "" {
			t.Errorf("%s: without its labels the shared patch misses it: %s", role, diff)
		}
		for _, o := range []object{d, budgets[role]} {
			if diff := cmp.Diff(labels, o.at("spec", "selector", "matchLabels")); diff != "" {
				t.Errorf("%s: selector: %s", role, diff)
			}
		}
		if diff := cmp.Diff([]any{"serve", role, "--config", "/etc/onehall/config/onehall.yaml"}, container(t, d).at("args")); diff != "" {
			t.Errorf("%s: arguments: %s", role, diff)
		}
	}
}

func sorted(words []string) []string { return slices.Sorted(slices.Values(words)) }

func TestTheSharedPartProbesAndRestrains(t *testing.T) {
	patch := shared(t)
	c := container(t, patch)
	for probe, path := range map[string]string{"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} {
		if c.text(probe, "httpGet", "path") != path || c.text(probe, "httpGet", "port") != "admin" {
			t.Errorf("%s does not ask %s at the admin port", probe, path)
		}
	}
	for want, got := range map[string]any{
		"runAsNonRoot":                 patch.at("spec", "template", "spec", "securityContext", "runAsNonRoot"),
		"readOnlyRootFilesystem":       c.at("securityContext", "readOnlyRootFilesystem"),
		"automountServiceAccountToken": patch.at("spec", "template", "spec", "automountServiceAccountToken") == false,
		"allowPrivilegeEscalation":     c.at("securityContext", "allowPrivilegeEscalation") == false,
	} {
		if got != true {
			t.Errorf("%s is not set as it should be", want)
		}
	}
}

func TestImagesArePinned(t *testing.T) {
	kustomization := manifests(t, "kustomization.yaml")[0]
	for _, image := range kustomization.list("images") {
		if tag := image.text("newTag"); tag == "" || tag == "latest" {
			t.Errorf("image %s has the tag %q", image.text("name"), tag)
		}
	}
	pinned := regexp.MustCompile(`:v?[0-9]+\.[0-9]+\.[0-9]+$`)
	for _, s := range ofKind(manifests(t, "etcd/*.yaml"), "StatefulSet") {
		for _, c := range s.list("spec", "template", "spec", "containers") {
			if !pinned.MatchString(c.text("image")) {
				t.Errorf("image %q is not pinned", c.text("image"))
			}
		}
	}
}

// loads reads a configuration as the program would, with the files of its secrets in
// place; a key that does not exist is an error.
func loads(t *testing.T, file string, environ []string) stand.Config {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("a secret of the tests"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile(`file:[^\s"',}]+`)
	src := boot.Sources{Environ: []string{}}
	for _, e := range environ {
		src.Environ = append(src.Environ, files.ReplaceAllLiteralString(e, "file:"+secret))
	}
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		src.File = filepath.Join(dir, "onehall.yaml")
		if err := os.WriteFile(src.File, files.ReplaceAllLiteral(raw, []byte("file:"+secret)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := stand.DefaultConfig()
	if err := boot.Load(&c, src); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

func TestKubernetesConfigurationExists(t *testing.T) {
	var environ []string
	mounts := map[string]bool{}
	for _, d := range ofKind(manifests(t, "*.yaml"), "Deployment") {
		for _, e := range container(t, d).list("env") {
			if value := e.text("value"); value != "" || strings.HasPrefix(e.text("name"), "ONEHALL_") {
				environ = append(environ, e.text("name")+"="+value)
			}
		}
		for _, m := range container(t, d).list("volumeMounts") {
			mounts[m.text("mountPath")] = true
		}
	}
	c := loads(t, "config.yaml", environ)
	for _, role := range stand.Roles() {
		if role != stand.Gateway && !strings.HasSuffix(c.Listen[role], ":7443") {
			t.Errorf("%s listens on %q, not on the port that its Deployment names", role, c.Listen[role])
		}
	}
	if c.Admin.Listen != ":9090" || !strings.HasSuffix(c.Gateway.Listen, ":8080") {
		t.Errorf("the ports %q and %q are not those of the Deployments", c.Admin.Listen, c.Gateway.Listen)
	}
	if !c.TLS.Enabled() || c.TLS.Insecure {
		t.Error("the pods talk to each other plainly")
	}
	raw, err := os.ReadFile("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range regexp.MustCompile(`/etc/onehall/[a-z-]+/`).FindAllString(string(raw), -1) {
		if !mounts[strings.TrimSuffix(path, "/")] {
			t.Errorf("%s is not mounted", path)
		}
	}
}

func TestSystemdConfigurationExists(t *testing.T) {
	raw, err := os.ReadFile("../systemd/onehall@.service")
	if err != nil {
		t.Fatal(err)
	}
	environ := variables(string(raw))
	if len(environ) < 5 {
		t.Fatalf("found only %v", environ)
	}
	c := loads(t, "../systemd/onehall.yaml", environ)
	if c.PageSecret == "" || c.QuerySecret == "" || c.Auth.IdentitySecret == "" || c.Auth.ClientSecret == "" {
		t.Error("the unit leaves a secret out")
	}
}

func TestImageConfigurationExists(t *testing.T) {
	raw, err := os.ReadFile("../docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	environ := variables(string(raw))
	if len(environ) < 2 {
		t.Fatalf("found only %v", environ)
	}
	loads(t, "", environ)
	work, err := os.ReadFile("../../go.work")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(work)
	if version == nil || !bytes.Contains(raw, append([]byte("FROM golang:"), version[1]...)) {
		t.Errorf("the image is not built with the Go of go.work, %q", version)
	}
	if !bytes.Contains(raw, []byte("\nFROM scratch\n")) || !bytes.Contains(raw, []byte("\nUSER 65532")) {
		t.Error("the image has more in it than the program, or runs as root")
	}
}

// variables are the settings in a text.
func variables(text string) []string {
	return regexp.MustCompile(`ONEHALL_[A-Z_]+=[^\s"]+`).FindAllString(text, -1)
}
