// Command sbom writes a CycloneDX list of what a built ltcles is made of: the modules that Go
// stamped into it, Go's own library, and the DuckDB library with the archives that were linked.
// It reads the program itself rather than go.mod, so that it lists what is shipped and no more,
// and says the same each time it is run. See make sbom.
package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"

	"ltcles/pipeline/dashboard"
	"ltcles/pipeline/letters/paper"
)

// bindings is where the modules that hold the DuckDB library have their paths.
const bindings = "github.com/duckdb/duckdb-go-bindings/"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM LICENCES.csv")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom: "+err.Error())
		os.Exit(1)
	}
}

func write(to io.Writer, program, licences string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read %s: %w", program, err)
	}
	made := build{info: info}
	if made.program, err = describe(program); err != nil {
		return err
	}
	if made.versions, err = versionsOf(program); err != nil {
		return err
	}
	if made.archives, err = archives(info); err != nil {
		return err
	}
	file, err := os.Open(licences)
	if err != nil {
		return err
	}
	defer file.Close()
	if made.licences, err = readLicences(file); err != nil {
		return fmt.Errorf("read %s: %w", licences, err)
	}
	bom, err := made.bom()
	if err != nil {
		return err
	}
	return cyclonedx.NewBOMEncoder(to, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
}

// build is what is known of a built program.
type build struct {
	info     *debug.BuildInfo
	program  file
	versions map[string]string // what the program says of itself, by name
	archives []file            // the DuckDB library's
	licences []licence
}

type file struct{ name, sha256 string }

// licence is what go-licenses found for the packages below a path.
type licence struct{ path, spdx string }

// describe names a file by its base and hash.
func describe(path string) (file, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return file{}, err
	}
	sum := sha256.Sum256(data)
	return file{filepath.Base(path), hex.EncodeToString(sum[:])}, nil
}

var versionLine = regexp.MustCompile(`(?m)^(\S+) (\S+)`)

// versionsOf asks the program, because only the linked library knows which DuckDB it is.
func versionsOf(program string) (map[string]string, error) {
	path, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(path, "version").Output()
	if err != nil {
		return nil, fmt.Errorf("run %s version: %w", program, err)
	}
	versions := map[string]string{}
	for _, line := range versionLine.FindAllStringSubmatch(string(out), -1) {
		versions[line[1]] = line[2]
	}
	return versions, nil
}

// archives lists the static libraries in the module that was linked.
func archives(info *debug.BuildInfo) ([]file, error) {
	for _, module := range info.Deps {
		if !strings.HasPrefix(module.Path, bindings) {
			continue
		}
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module.Path).Output()
		if err != nil {
			return nil, fmt.Errorf("find module %s: %w", module.Path, err)
		}
		paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.a"))
		if err != nil {
			return nil, err
		}
		var into []file
		for _, path := range paths {
			archive, err := describe(path)
			if err != nil {
				return nil, err
			}
			into = append(into, archive)
		}
		return into, nil
	}
	return nil, errors.New("the program has no module " + bindings + "…; expected the DuckDB library")
}

// readLicences reads the report of go-licenses: path, address, licence.
func readLicences(from io.Reader) ([]licence, error) {
	records, err := csv.NewReader(from).ReadAll()
	if err != nil {
		return nil, err
	}
	var into []licence
	for _, record := range records {
		if len(record) != 3 {
			return nil, fmt.Errorf("%d fields; expected path, address, licence", len(record))
		}
		into = append(into, licence{record[0], record[2]})
	}
	return into, nil
}

// bom is the list. A module without a licence that is known is an error.
func (b build) bom() (*cyclonedx.BOM, error) {
	bom := cyclonedx.NewBOM()
	own, err := b.licencesOf(b.info.Main.Path)
	if err != nil {
		return nil, err
	}
	program := cyclonedx.Component{
		BOMRef: "ltcles", Type: cyclonedx.ComponentTypeApplication, Name: "ltcles", Version: b.versions["ltcles"],
		Hashes: b.program.hashes(), Licenses: own,
	}
	var properties []cyclonedx.Property
	for _, setting := range b.info.Settings {
		switch {
		case setting.Key == "vcs.time":
			bom.Metadata = &cyclonedx.Metadata{Timestamp: setting.Value}
		case strings.HasPrefix(setting.Key, "vcs.") || setting.Key == "GOOS" || setting.Key == "GOARCH" || setting.Key == "CGO_ENABLED":
			properties = append(properties, cyclonedx.Property{Name: "ltcles:build:" + setting.Key, Value: setting.Value})
		}
	}
	if bom.Metadata == nil {
		bom.Metadata = &cyclonedx.Metadata{}
	}
	program.Properties = &properties
	bom.Metadata.Component = &program

	golang := strings.TrimPrefix(b.info.GoVersion, "go")
	components := []cyclonedx.Component{b.duckdb(), {
		BOMRef: "pkg:golang/std@" + golang, Type: cyclonedx.ComponentTypeLibrary, Name: "std", Version: golang,
		PackageURL: "pkg:golang/std@" + golang, Licenses: &cyclonedx.Licenses{spdx("BSD-3-Clause")},
	}}
	if components[0].Version == "" {
		return nil, errors.New("the program does not say which DuckDB it holds; expected a line duckdb of ltcles version")
	}
	parts, err := embedded()
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if part.Version == "" {
			return nil, fmt.Errorf("%s does not say which version it is", part.Name)
		}
		components = append(components, part)
	}
	needs := []cyclonedx.Dependency{}
	for _, module := range b.info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		licences, err := b.licencesOf(module.Path)
		if err != nil {
			return nil, err
		}
		purl := "pkg:golang/" + strings.ToLower(module.Path) + "@" + module.Version
		components = append(components, cyclonedx.Component{
			BOMRef: purl, Type: cyclonedx.ComponentTypeLibrary, Name: module.Path, Version: module.Version, PackageURL: purl, Licenses: licences,
		})
		if strings.HasPrefix(module.Path, bindings) {
			needs = append(needs, cyclonedx.Dependency{Ref: purl, Dependencies: &[]string{components[0].BOMRef}})
		}
	}
	slices.SortFunc(components, func(a, b cyclonedx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	var refs []string
	for _, component := range components {
		refs = append(refs, component.BOMRef)
	}
	needs = append([]cyclonedx.Dependency{{Ref: program.BOMRef, Dependencies: &refs}}, needs...)
	bom.Components, bom.Dependencies = &components, &needs
	return bom, nil
}

// duckdb is the library that no Go module states. What its authors built into it is under their
// licence file; the archives are listed by hash, so that they can be told from others.
func (b build) duckdb() cyclonedx.Component {
	version := b.versions["duckdb"]
	purl := "pkg:github/duckdb/duckdb@" + version
	var parts []cyclonedx.Component
	for _, archive := range b.archives {
		parts = append(parts, cyclonedx.Component{
			BOMRef: purl + "#" + archive.name, Type: cyclonedx.ComponentTypeFile, Name: archive.name, Hashes: archive.hashes(),
		})
	}
	return cyclonedx.Component{
		BOMRef: purl, Type: cyclonedx.ComponentTypeLibrary, Name: "duckdb", Version: strings.TrimPrefix(version, "v"), PackageURL: purl,
		Licenses: &cyclonedx.Licenses{spdx("MIT")}, Components: &parts,
	}
}

// embedded are what the program carries that is neither a Go module nor linked. The fonts come
// inside a module, which has a licence of its own.
func embedded() ([]cyclonedx.Component, error) {
	printer, err := paper.NewPrinter()
	if err != nil {
		return nil, err
	}
	fonts, err := printer.FontVersion()
	if err != nil {
		return nil, err
	}
	carried := func(purl, name, version, licence string, kind cyclonedx.ComponentType) cyclonedx.Component {
		return cyclonedx.Component{
			BOMRef: purl, Type: kind, Name: name, Version: version, PackageURL: purl, Licenses: &cyclonedx.Licenses{spdx(licence)},
		}
	}
	charts := dashboard.ChartVersion()
	return []cyclonedx.Component{
		carried("pkg:generic/liberation-fonts@"+fonts, "liberation-fonts", fonts, "OFL-1.1", cyclonedx.ComponentTypeFile),
		carried("pkg:npm/chart.js@"+charts, "chart.js", charts, "MIT", cyclonedx.ComponentTypeLibrary),
	}, nil
}

// licencesOf are those of the module's packages: of each path, the longest module it is below.
func (b build) licencesOf(module string) (*cyclonedx.Licenses, error) {
	names := map[string]bool{}
	for _, found := range b.licences {
		if b.moduleOf(found.path) == module {
			names[found.spdx] = true
		}
	}
	if len(names) == 0 || names["Unknown"] {
		return nil, fmt.Errorf("module %s has no licence that go-licenses knows; look at it by hand", module)
	}
	var into cyclonedx.Licenses
	for name := range names {
		into = append(into, spdx(name))
	}
	slices.SortFunc(into, func(a, b cyclonedx.LicenseChoice) int { return cmp.Compare(a.License.ID, b.License.ID) })
	return &into, nil
}

func (b build) moduleOf(path string) string {
	best := ""
	for _, module := range append([]*debug.Module{&b.info.Main}, b.info.Deps...) {
		if (path == module.Path || strings.HasPrefix(path, module.Path+"/")) && len(module.Path) > len(best) {
			best = module.Path
		}
	}
	return best
}

func spdx(id string) cyclonedx.LicenseChoice {
	return cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}}
}

func (f file) hashes() *[]cyclonedx.Hash {
	return &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: f.sha256}}
}
