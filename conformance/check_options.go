package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"google.golang.org/grpc/codes"

	"github.com/bertopic-go/bertopic/sdk"
)

// waitsForConfigure is EMB-010.
func waitsForConfigure(ctx context.Context, s *suite) (string, error) {
	p, err := s.start(ctx)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	_, err = s.ask(ctx, p, false, s.first(1))
	return "", wantCode(err, codes.FailedPrecondition, "Embed before Configure")
}

func wantCode(err error, want codes.Code, what string) error {
	switch have := code(err); {
	case have == want:
		return nil
	case err == nil:
		return fmt.Errorf("%s is answered, not refused with %v", what, want)
	default:
		return fmt.Errorf("%s is not refused with %v but: %w", what, want, err)
	}
}

// refusesUnknown is EMB-011.
func refusesUnknown(ctx context.Context, s *suite) (string, error) {
	const name = "no_option_has_this_name"
	options := maps.Clone(s.cfg.Options)
	if options == nil {
		options = map[string]any{}
	}
	options[name] = 1
	p, err := s.start(ctx)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	return "", s.refuses(ctx, p, options, fmt.Sprintf("the unknown option %q", name))
}

// refusesWrongTypes is EMB-012.
func refusesWrongTypes(ctx context.Context, s *suite) (string, error) {
	p, err := s.start(ctx)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	tried := 0
	for _, o := range s.description.Options {
		if o.Type == sdk.Any {
			continue
		}
		options := maps.Clone(s.cfg.Options)
		if options == nil {
			options = map[string]any{}
		}
		options[o.Name] = map[string]any{"a": "table"}
		if err := s.refuses(ctx, p, options, fmt.Sprintf("a table for the option %q, which is a %s,", o.Name, o.Type)); err != nil {
			return "", err
		}
		tried++
	}
	if tried == 0 {
		return "", notApplicable("no option has a type")
	}
	return "", nil
}

// refuses tries options that a process must not take.
func (s *suite) refuses(ctx context.Context, p *process, options map[string]any, what string) error {
	_, err := s.configure(ctx, p, options, 0)
	var no *refusal
	if errors.As(err, &no) {
		return nil
	}
	return wantCode(err, codes.InvalidArgument, what)
}

// takesOptions is EMB-013.
func takesOptions(ctx context.Context, s *suite) (string, error) {
	r, err := s.configureRaw(ctx, s.main, s.cfg.Options, 0)
	if err != nil {
		return "", err
	}
	ds, err := sdk.DiagnosticsFromProto(r.GetDiagnostics())
	if err != nil {
		return "", err
	}
	if ds.Refused() {
		return "", &refusal{ds}
	}
	if r.GetInfo() == nil {
		return "", errors.New("the answer to Configure holds neither a promise nor an error")
	}
	s.promised = r.GetInfo()
	return "", nil
}

// promisesSoundly is EMB-014.
func promisesSoundly(_ context.Context, s *suite) (detail string, err error) {
	if s.info, err = sdk.InfoFromProto(s.promised); err != nil {
		return "", err
	}
	return fmt.Sprintf("%+v", s.info), nil
}

// configuresTwice is EMB-015.
func configuresTwice(ctx context.Context, s *suite) (string, error) {
	p, err := s.start(ctx)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	bad := maps.Clone(s.cfg.Options)
	if bad == nil {
		bad = map[string]any{}
	}
	for i, what := range []string{"the first time", "the second time", "after options that it refused"} {
		if i == 2 {
			bad["no_option_has_this_name"] = 1
			_, _ = s.configure(ctx, p, bad, 0) // EMB-011 tells what comes of it
		}
		info, err := s.configure(ctx, p, s.cfg.Options, 0)
		if err != nil {
			return "", fmt.Errorf("%s: %w", what, err)
		}
		if !reflect.DeepEqual(info, s.info) {
			return "", fmt.Errorf("%s it promises %+v, elsewhere %+v", what, info, s.info)
		}
	}
	return "", nil
}

// waitsForFit is EMB-016.
func waitsForFit(ctx context.Context, s *suite) (string, error) {
	if !s.info.NeedsFit {
		return "", notApplicable("it needs no fit")
	}
	_, err := s.ask(ctx, s.main, false, s.first(1))
	return "", wantCode(err, codes.FailedPrecondition, "Embed before Fit")
}

// fits is EMB-017.
func fits(ctx context.Context, s *suite) (string, error) {
	if !s.info.NeedsFit {
		return "", nil
	}
	info, err := s.fit(ctx, s.main)
	if err != nil {
		return "", err
	}
	if info.Dimension == 0 {
		return "", errors.New("it promises no dimension, though it has been fitted")
	}
	info.NeedsFit = true
	s.info = info
	s.state, err = s.save(ctx, s.main)
	return fmt.Sprintf("%d dimensions from %d rows, a state of %d bytes", info.Dimension, len(s.sample), len(s.state)), err
}

// someWords are single words of the sentences.
var someWords = []string{"lighthouse", "orchid", "rain", "minister", "song", "bread"}

// embedsWords is EMB-018.
func embedsWords(ctx context.Context, s *suite) (string, error) {
	rows := make([]sdk.Row, len(someWords))
	for i, w := range someWords {
		rows[i] = text(w)
	}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	answers, err := s.ask(ctx, p, true, rows)
	if !s.info.Words {
		return "", wantCode(err, codes.FailedPrecondition, "a batch of words, which it does not promise to embed,")
	}
	if err != nil {
		return "", err
	}
	if len(answers) != 1 {
		return "", fmt.Errorf("%d answers to one batch of words", len(answers))
	}
	v, err := sdk.VectorsFromProto(answers[0].v)
	if err != nil {
		return "", err
	}
	if err := v.Check(len(rows), s.info); err != nil {
		return "", err
	}
	for _, st := range v.Statuses {
		if st.Status == sdk.Failed {
			return "", fmt.Errorf("the word %q failed: %s", someWords[st.Row], st.Reason)
		}
	}
	return "", nil
}
