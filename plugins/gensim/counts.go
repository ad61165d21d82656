package main

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/sdk"
)

// counts tell how much of the texts had no vector.
type counts struct {
	words, unknown atomic.Int64
	looked, near   atomic.Int64    // of the first words: how many, and unknown ones that are known in another form
	rows, none     atomic.Int64    // none: without a vector for want of known words
	shares         [5]atomic.Int64 // rows by their share of unknown words: 0, to 1/4, to 1/2, to 3/4, above
	warned         sync.Once
}

// lookAt is how many words are looked at before a warning, and for how many it
// is found out whether lower case would help.
const lookAt = 2000

// looking tells whether unknown words are still looked at.
func (c *counts) looking() bool { return c.words.Load() < lookAt }

func (c *counts) add(p *pool, status sdk.Status, text string) {
	if p.tokens == 0 {
		return
	}
	if c.looking() {
		c.looked.Add(int64(p.tokens))
		c.near.Add(int64(p.near))
	}
	c.words.Add(int64(p.tokens))
	c.unknown.Add(int64(p.unknown))
	c.rows.Add(1)
	if status == sdk.OOV {
		c.none.Add(1)
	}
	share := float64(p.unknown) / float64(p.tokens)
	c.shares[int(math.Ceil(4*share))].Add(1)
	if slog.Default().Enabled(context.Background(), slog.LevelDebug) {
		begin := []rune(text[:min(len(text), 160)])
		slog.Debug("row", "words", p.tokens, "unknown", p.unknown, "share", round(share), "text", string(begin[:min(len(begin), 40)]))
	}
}

// log warns once where most words are unknown; at the end it tells all.
func (c *counts) log(end bool) {
	words, unknown := c.words.Load(), c.unknown.Load()
	if words == 0 {
		return
	}
	share := round(float64(unknown) / float64(words))
	if words >= lookAt && share > 0.5 || end && share > 0.5 {
		c.warned.Do(func() {
			near := round(float64(c.near.Load()) / float64(max(c.looked.Load(), 1)))
			slog.Warn("most words have no vector: are these vectors of this language, and should lowercase and tokenizer = \"words\" be set?",
				"share", share, "known_in_lower_case_without_punctuation", near)
		})
	}
	if end {
		slog.Info("words without a vector", "words", words, "unknown", unknown, "share", share, "rows", c.rows.Load(), "rows_without_vector", c.none.Load(),
			"rows_by_share", []int64{c.shares[0].Load(), c.shares[1].Load(), c.shares[2].Load(), c.shares[3].Load(), c.shares[4].Load()})
	}
}

func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }
