package pipeline

import (
	"bytes"
	"context"

	"ltcles/pipeline/pseudonym"
)

// Replayed is a period that was computed again, for tests that ask much about one.
type Replayed struct {
	run      *run
	standing Standing
	key      *pseudonym.Key
}

// Replay computes a period again.
func Replay(ctx context.Context, cfg Config, see func(Replayed) error) error {
	return replay(ctx, cfg, func(r *run, standing Standing) error { return see(Replayed{r, standing, r.key}) })
}

// Explain is the package's, of what is computed already.
func (p Replayed) Explain(ctx context.Context, asked Asked) (*Explanation, error) {
	asked.Number = bytes.Clone(asked.Number)
	return p.run.explain(ctx, asked.pseudonym(p.key), asked.Practice, p.standing)
}

// Query reads the computed tables.
func (p Replayed) Query(ctx context.Context, query string, each func(values []any) error) error {
	return p.run.db.Query(ctx, query, each)
}
