// Package workspace knows the folder that a Data Quality analyst keeps: its layout, its settings
// and its reference lists. It refuses to know what a contract rules or what an export holds.
package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
	"ltcles/pipeline/pseudonym"
)

// SettingsFile makes a folder a workspace.
const SettingsFile = "ltcles.yaml"

const (
	practicesFile = "reference/practices.csv"
	placesFile    = "reference/places.csv"
)

// Workspace is an opened folder.
type Workspace struct {
	Dir      string
	Settings Settings
	// SettingsSHA256 is of the settings that bear on figures. The thread count, the memory limit
	// and the place of the key do not: changing one of them is not another run.
	SettingsSHA256 string
}

// Init makes a workspace in dir, which is not there yet or is empty. The settings file comes
// last, so that what is half made is no workspace. Folders with patient data or the key are for
// their owner only.
func Init(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("make workspace: %w", err)
	case exists(filepath.Join(dir, SettingsFile)):
		return &config.Problem{File: dir, Found: "a workspace is there already", Expected: "a new or empty folder", Fix: "use it, or name another folder"}
	case len(entries) > 0:
		return &config.Problem{File: dir, Found: "the folder is not empty", Expected: "a new or empty folder", Fix: "name another folder"}
	}
	for _, folder := range []struct {
		name string
		mode fs.FileMode
	}{
		{"", 0o755}, {"reference/contracts", 0o755}, {"inbox", 0o700},
		{"secrets", 0o700}, {".ltcles", 0o700}, {"published", 0o755}, {"runs", 0o755},
	} {
		if err := os.MkdirAll(filepath.Join(dir, folder.name), folder.mode); err != nil {
			return fmt.Errorf("make workspace: %w", err)
		}
	}
	if err := pseudonym.Create(filepath.Join(dir, filepath.FromSlash(defaultKeyFile))); err != nil {
		return fmt.Errorf("make workspace: %w", err)
	}
	for _, file := range []struct{ name, text string }{
		{practicesFile, strings.Join(practiceColumns(), ",") + "\n"},
		{placesFile, strings.Join(placeColumns(), ",") + "\n"},
		{SettingsFile, defaultSettings},
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file.name)), []byte(file.text), 0o644); err != nil {
			return fmt.Errorf("make workspace: %w", err)
		}
	}
	return nil
}

// Open reads the settings of the workspace in dir.
func Open(dir string) (*Workspace, error) {
	text, err := os.ReadFile(filepath.Join(dir, SettingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &config.Problem{File: dir, Found: "no " + SettingsFile, Expected: "a workspace",
			Fix: "name the folder that holds " + SettingsFile + ", or make one: ltcles init DIR"}
	}
	if err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	settings, err := readSettings(text)
	if err != nil {
		return nil, err
	}
	return &Workspace{Dir: dir, Settings: settings, SettingsSHA256: settings.sha256()}, nil
}

// Inbox is where the files of a period arrive.
func (w *Workspace) Inbox(period string) string { return filepath.Join(w.Dir, "inbox", period) }

// Strays names what lies in the inbox and is no period's folder, in byte order. What file
// systems and desktops leave behind is none.
func (w *Workspace) Strays() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.Dir, "inbox"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list inbox: %w", err)
	}
	var strays []string
	for _, entry := range entries {
		name := entry.Name()
		_, err := contract.ParsePeriod(name)
		if err == nil && entry.IsDir() || strings.HasPrefix(name, ".") || strings.EqualFold(name, "Thumbs.db") || strings.EqualFold(name, "desktop.ini") {
			continue
		}
		strays = append(strays, name)
	}
	return strays, nil
}

// Published is what readers read.
func (w *Workspace) Published() string { return filepath.Join(w.Dir, "published") }

// Runs holds the record of each run.
func (w *Workspace) Runs() string { return filepath.Join(w.Dir, "runs") }

// Private holds what a run needs while it works; nothing in it is for readers.
func (w *Workspace) Private() string { return filepath.Join(w.Dir, ".ltcles") }

// Staged holds the rows of files that were read, for later runs: identifiers are pseudonyms there.
func (w *Workspace) Staged() string { return filepath.Join(w.Private(), "staged") }

// ContractsDir holds the contracts that replace a built-in one.
func (w *Workspace) ContractsDir() string { return filepath.Join(w.Dir, "reference", "contracts") }

// KeyFile is the pseudonym key, in the workspace or where the settings say.
func (w *Workspace) KeyFile() string {
	file := filepath.FromSlash(w.Settings.KeyFile)
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(w.Dir, file)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
