package rules

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Level is how serious a finding is.
type Level int

// The levels, in rising order.
const (
	None    Level = iota
	Warning       // 预警
	Yellow        // 黄牌
	Red           // 红牌
)

// String is the level's name in keys and presets.
func (l Level) String() string {
	switch l {
	case Warning:
		return "warning"
	case Yellow:
		return "yellow"
	case Red:
		return "red"
	default:
		return ""
	}
}

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a level's name.
func (l *Level) UnmarshalText(text []byte) error {
	for level := Warning; level <= Red; level++ {
		if level.String() == string(text) {
			*l = level
			return nil
		}
	}
	return fmt.Errorf("rules: unknown level %q", text)
}

// The kinds of clocks that presets have thresholds for.
const (
	ClockCase       = "case"
	ClockAcceptance = "acceptance"
	ClockPreAccept  = "pre_accept"
	ClockSpecial    = "special"
	ClockDelivery   = "delivery"
	ClockConsult    = "consult"
	ClockComplaint  = "complaint"
	ClockStep       = "step"
	ClockForward    = "forward"
	ClockPause      = "pause"
	ClockReview     = "review"
	ClockLicense    = "license"
	ClockMessage    = "message"
	ClockTicket     = "ticket"
	ClockGap        = "gap"
)

// Threshold raises a level once the days used reach a share of a limit plus some days.
type Threshold struct {
	Rule  string `json:"rule"`
	Level Level  `json:"level"`
	// Of is "promised" or "statutory".
	Of string `json:"of"`
	// Percent of the limit; 0 means all of it.
	Percent int `json:"percent"`
	// Plus is added, and may be negative.
	Plus int `json:"plus"`
}

// days is the number of days used from which the threshold is met.
func (t Threshold) days(limit int) int {
	if t.Percent == 0 {
		return limit + t.Plus
	}
	// A share rounds up, and never so low that it is met before anything was used.
	return max(1, (limit*t.Percent+99)/100) + t.Plus
}

// Preset is one real scheme of thresholds, as data with a version.
type Preset struct {
	Name        string                 `json:"name"`
	Version     string                 `json:"version"`
	DisplayName string                 `json:"display_name"`
	Source      string                 `json:"source"`
	Thresholds  map[string][]Threshold `json:"thresholds"`
}

// DefaultPreset is the scheme of a hall that has not chosen.
const DefaultPreset = "hunan2018"

//go:embed presets/*.json
var presetFiles embed.FS

// Presets are the names of the schemes that come with the program.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// presets are read once; a mistake in them is a mistake of the program.
var presets = func() map[string]*Preset {
	files, err := presetFiles.ReadDir("presets")
	if err != nil {
		panic(err)
	}
	all := map[string]*Preset{}
	for _, f := range files {
		raw, err := presetFiles.ReadFile(path.Join("presets", f.Name()))
		if err != nil {
			panic(err)
		}
		p := &Preset{}
		if err := json.Unmarshal(raw, p); err != nil {
			panic(fmt.Errorf("rules: %s: %w", f.Name(), err))
		}
		all[p.Name] = p
	}
	return all
}()

// PresetByName finds a scheme; empty means the default.
func PresetByName(name string) (*Preset, error) {
	if name == "" {
		name = DefaultPreset
	}
	if p, ok := presets[name]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("rules: no preset %q; there are %v", name, Presets())
}

// Highest is the highest level a rule of the preset can raise; None if it has none.
func (p *Preset) Highest(rule string) Level {
	highest := None
	for _, list := range p.Thresholds {
		for _, t := range list {
			if t.Rule == rule {
				highest = max(highest, t.Level)
			}
		}
	}
	return highest
}
