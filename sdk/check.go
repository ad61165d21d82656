package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	versionForm = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	optionForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	envForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Check reports everything that is wrong with a description.
func (d Description) Check() error {
	var faults []error
	add := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if !nameForm.MatchString(d.Name) {
		add("name %q is not lower case letters, digits and single hyphens", d.Name)
	}
	if !versionForm.MatchString(d.Version) {
		add("version %q is not of the form 1.2.3", d.Version)
	}
	if !oneLine(d.Summary) {
		add("summary %q is not one line of text", d.Summary)
	}
	if len(d.Modalities) == 0 {
		add("no modalities")
	}
	for i, m := range d.Modalities {
		if m != Text && m != Image {
			add("modality %q is neither %q nor %q", m, Text, Image)
		} else if slices.Contains(d.Modalities[:i], m) {
			add("modality %q is there twice", m)
		}
	}
	for _, e := range d.Env {
		if !envForm.MatchString(e) {
			add("%q is not a name of an environment variable", e)
		}
	}
	seen := make(map[string]bool, len(d.Options))
	for _, o := range d.Options {
		if seen[o.Name] {
			add("option %q is there twice", o.Name)
		}
		seen[o.Name] = true
		if err := o.check(); err != nil {
			add("option %q: %w", o.Name, err)
		}
	}
	return errors.Join(faults...)
}

func (o Option) check() error {
	switch {
	case !optionForm.MatchString(o.Name):
		return errors.New("a name is lower case letters, digits and underscores, a letter first")
	case !slices.Contains(optionTypes[1:], o.Type):
		return fmt.Errorf("type %q is not one of protocol %d", o.Type, ProtocolVersion)
	case !oneLine(o.Help):
		return fmt.Errorf("help %q is not one line of text", o.Help)
	case len(o.Choices) > 0 && o.Type != String && o.Type != StringList:
		return errors.New("only a string or a string list has choices")
	case o.Required && o.Default != nil:
		return errors.New("a required option has no default")
	case o.Required:
		return nil
	}
	v, fault := o.canonical(o.Default)
	if fault != nil {
		return fmt.Errorf("default %s", fault.Problem)
	}
	if _, err := json.Marshal(v); err != nil {
		return fmt.Errorf("default can't be written as JSON: %w", err)
	}
	return nil
}

func oneLine(s string) bool {
	return strings.TrimSpace(s) != "" && !strings.ContainsAny(s, "\r\n")
}

// takes reports whether m is among the modalities.
func (d Description) takes(m Modality) bool { return slices.Contains(d.Modalities, m) }

// Check reports everything that is wrong with what a program promises.
func (i Info) Check() error {
	var faults []error
	add := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if i.Dimension < 0 || i.Dimension > math.MaxInt32 {
		add("dimension %d is out of range", i.Dimension)
	}
	if i.Dimension == 0 && !i.NeedsFit {
		add("no dimension, and needs no fit from which it could come")
	}
	if !slices.Contains(metrics[1:], i.Metric) {
		add("metric %q is not one of cosine, euclidean and hellinger", i.Metric)
	}
	if i.MaxTokens < 0 || i.MaxTokens > math.MaxInt32 {
		add("max tokens %d is out of range", i.MaxTokens)
	}
	return errors.Join(faults...)
}

// noVector reports whether a row of this status has zeros for a vector.
func (s Status) noVector() bool { return s == Empty || s == OOV || s == Failed }

// unitTolerance is how far from 1 the norm of a unit vector may be: what half
// precision leaves of a vector of a few thousand values.
const unitTolerance = 2e-3

// Check holds the answer to a batch of n rows against what info promises: n
// rows, info.Dimension columns, dense or sparse as said, well-formed, every
// value finite, not negative under hellinger, unit length where promised, zeros
// exactly where a status says that there is no vector. It returns the first
// fault.
func (v Vectors) Check(n int, info Info) error {
	switch {
	case v.Dense == nil && v.Sparse == nil:
		return errors.New("neither a dense nor a sparse matrix")
	case v.Dense != nil && v.Sparse != nil:
		return errors.New("a dense and a sparse matrix at once")
	case v.Sparse != nil && !info.Sparse:
		return errors.New("a sparse matrix where a dense one was promised")
	case v.Dense != nil && info.Sparse:
		return errors.New("a dense matrix where a sparse one was promised")
	}
	status, err := v.statuses(n)
	if err != nil {
		return err
	}
	if v.Dense != nil {
		return v.Dense.check(n, info, status)
	}
	return v.Sparse.check(n, info, status)
}

// statuses spreads Statuses over the rows; nil where all are OK.
func (v Vectors) statuses(n int) ([]Status, error) {
	if len(v.Statuses) == 0 {
		return nil, nil
	}
	all, seen := make([]Status, n), make([]bool, n)
	for _, s := range v.Statuses {
		switch {
		case s.Row < 0 || s.Row >= n:
			return nil, fmt.Errorf("a status of row %d in a batch of %d rows", s.Row, n)
		case seen[s.Row]:
			return nil, fmt.Errorf("two statuses of row %d", s.Row)
		case s.Status < OK || s.Status > Failed:
			return nil, fmt.Errorf("row %d has the unknown status %d", s.Row, s.Status)
		case s.Status == Failed && s.Reason == "":
			return nil, fmt.Errorf("row %d failed without a reason", s.Row)
		case s.TokensLost < 0 || s.TokensLost > math.MaxInt32:
			return nil, fmt.Errorf("row %d lost %d tokens", s.Row, s.TokensLost)
		}
		seen[s.Row], all[s.Row] = true, s.Status
	}
	return all, nil
}

func (d *Dense) check(n int, info Info, status []Status) error {
	if err := shape(d.Rows, d.Columns, n, info); err != nil {
		return err
	}
	if len(d.Data) != d.Rows*d.Columns {
		return fmt.Errorf("%d values in a matrix of %d x %d", len(d.Data), d.Rows, d.Columns)
	}
	for i := range n {
		if err := checkRow(i, d.Data[i*d.Columns:(i+1)*d.Columns], info, status); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sparse) check(n int, info Info, status []Status) error {
	if err := shape(s.Rows, s.Columns, n, info); err != nil {
		return err
	}
	switch {
	case len(s.Indptr) != n+1:
		return fmt.Errorf("%d row pointers for %d rows, not %d", len(s.Indptr), n, n+1)
	case s.Indptr[0] != 0:
		return fmt.Errorf("the first row pointer is %d, not 0", s.Indptr[0])
	case len(s.Indices) != len(s.Data) || int64(len(s.Data)) != int64(s.Indptr[n]):
		return fmt.Errorf("%d column indices and %d values where the last row pointer says %d", len(s.Indices), len(s.Data), s.Indptr[n])
	}
	for i := range n {
		from, to := s.Indptr[i], s.Indptr[i+1]
		if from > to || int64(to) > int64(len(s.Data)) {
			return fmt.Errorf("row %d: row pointers %d and %d don't ascend", i, from, to)
		}
		row := s.Indices[from:to]
		for j, c := range row {
			if int64(c) >= int64(s.Columns) {
				return fmt.Errorf("row %d: column %d of %d", i, c, s.Columns)
			}
			if j > 0 && row[j-1] >= c {
				return fmt.Errorf("row %d: column %d after %d: columns must ascend", i, c, row[j-1])
			}
		}
		if err := checkRow(i, s.Data[from:to], info, status); err != nil {
			return err
		}
	}
	return nil
}

func shape(rows, columns, n int, info Info) error {
	if rows != n {
		return fmt.Errorf("%d rows for a batch of %d", rows, n)
	}
	if columns != info.Dimension {
		return fmt.Errorf("%d columns where the dimension is %d", columns, info.Dimension)
	}
	return nil
}

// checkRow checks the values of row i, all of them or those that are stored.
func checkRow(i int, row []float32, info Info, status []Status) error {
	sum := squares(row)
	// Squares of float32 can't overflow a float64: the sum is finite when the
	// values are.
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		for j, x := range row {
			if y := float64(x); math.IsNaN(y) || math.IsInf(y, 0) {
				return fmt.Errorf("row %d: value %d is %v", i, j, x)
			}
		}
	}
	without := status != nil && status[i].noVector()
	switch {
	case without && sum != 0:
		return fmt.Errorf("row %d has a vector, though its status says that it has none", i)
	case without:
		return nil
	case info.Metric == Hellinger && slices.ContainsFunc(row, func(x float32) bool { return x < 0 }):
		return fmt.Errorf("row %d has a negative value under the hellinger metric", i)
	case sum == 0 && info.Metric != Euclidean:
		return fmt.Errorf("row %d is all zeros, which has no %s distance: it needs the status empty, oov or failed", i, info.Metric)
	case info.UnitLength && math.Abs(math.Sqrt(sum)-1) > unitTolerance:
		return fmt.Errorf("row %d has the norm %.4g where unit length was promised", i, math.Sqrt(sum))
	}
	return nil
}

// squares returns the sum of the squares of a row, in four sums that don't wait for
// each other.
func squares(row []float32) float64 {
	var a, b, c, d float64
	for ; len(row) >= 4; row = row[4:] {
		a += float64(row[0]) * float64(row[0])
		b += float64(row[1]) * float64(row[1])
		c += float64(row[2]) * float64(row[2])
		d += float64(row[3]) * float64(row[3])
	}
	for _, x := range row {
		a += float64(x) * float64(x)
	}
	return a + b + (c + d)
}
