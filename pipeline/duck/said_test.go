package duck

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// What the engine calls its own fault is told as that, in one line, and what it is stays known.
func TestEngineAtFault(t *testing.T) {
	failed := &duckdb.Error{Type: duckdb.ErrorTypeInternal, Msg: "INTERNAL Error: Attempted to dereference unique_ptr that is NULL!\n\nStack Trace:\n"}
	err := said(fmt.Errorf("query: %w", failed))
	if !strings.HasPrefix(err.Error(), "the engine failed, not the files; run it again") || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "unique_ptr") {
		t.Errorf("said %q", err)
	}
	if !errors.Is(err, failed) {
		t.Errorf("%v is no longer the engine's", err)
	}
}
