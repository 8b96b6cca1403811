package letters

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"ltcles/pipeline/config"
	"ltcles/pipeline/contract"
)

// letterTemplate is the template of a kind of letter.
type letterTemplate struct {
	kind   Kind
	source string // as its problems name it
	parsed *template.Template
}

func loadTemplate(dir string, kind Kind) (*letterTemplate, error) {
	source, text, err := contract.LetterTemplate(dir, string(kind))
	if err != nil {
		return nil, err
	}
	return parseTemplate(kind, source, string(text))
}

func parseTemplate(kind Kind, source, text string) (*letterTemplate, error) {
	parsed, err := template.New(templateName).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, templateProblem(source, err)
	}
	return &letterTemplate{kind, source, parsed}, nil
}

// markdown fills the template in for one practice.
func (t *letterTemplate) markdown(letter Letter) ([]byte, error) {
	var out bytes.Buffer
	if err := t.parsed.Execute(&out, letter); err != nil {
		return nil, templateProblem(t.source, err)
	}
	return out.Bytes(), nil
}

// templateName has no character that text/template writes otherwise in its errors.
const templateName = "letter"

var (
	saysLine = regexp.MustCompile(`^template: letter:(\d+)(?::\d+)?: (?:executing "letter" at )?(?s:(.*))$`)
	ofType   = regexp.MustCompile(`letters\.(\w+)`)
)

// templateProblem is text/template's error in the form of every fault of a file that people write.
func templateProblem(source string, err error) error {
	problem := &config.Problem{File: source, Found: err.Error(), Expected: "a template that prints what a letter has", Fix: "correct it"}
	var failed template.ExecError
	text := err.Error()
	if errors.As(err, &failed) {
		text = failed.Err.Error()
	}
	if found := saysLine.FindStringSubmatch(text); found != nil {
		problem.Line, _ = strconv.Atoi(found[1])
		problem.Found = strings.Join(strings.Fields(ofType.ReplaceAllString(found[2], "$1")), " ")
	}
	return problem
}
