package sdk

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// The numbers of the protocol's enumerations are indices here.
var (
	modalities  = []Modality{"", Text, Image}
	metrics     = []Metric{"", Cosine, Euclidean, Hellinger}
	optionTypes = []OptionType{"", String, Integer, Number, Boolean, StringList, IntegerList, Any}
)

func number[E ~int32, T comparable](names []T, name T) E { return E(max(0, slices.Index(names, name))) }

func name[E ~int32, T any](names []T, e E, what string) (T, error) {
	if e <= 0 || int(e) >= len(names) {
		var none T
		return none, fmt.Errorf("%s %d is not one of protocol %d", what, e, ProtocolVersion)
	}
	return names[e], nil
}

// UnmarshalJSON gives Default the Go type that goes with Type.
func (o *Option) UnmarshalJSON(text []byte) error {
	type plain Option // without this method
	p := struct {
		*plain
		Default json.RawMessage `json:"default"`
	}{plain: (*plain)(o)}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	return o.setDefault(p.Default)
}

func (o *Option) setDefault(text []byte) error {
	o.Default = nil
	if len(text) == 0 || o.Required {
		return nil
	}
	v, fault := o.canonical(json.RawMessage(text))
	if fault != nil {
		return fmt.Errorf("option %q: default %s", o.Name, fault.Problem)
	}
	o.Default = v
	return nil
}

func (d Description) toProto() (*proto.DescribeResponse, error) {
	r := &proto.DescribeResponse{Name: d.Name, Version: d.Version, Summary: d.Summary, Network: d.Network, Environment: d.Env}
	for _, m := range d.Modalities {
		r.Modalities = append(r.Modalities, number[proto.Modality](modalities, m))
	}
	for _, o := range d.Options {
		p := &proto.Option{
			Name: o.Name, Type: number[proto.OptionType](optionTypes, o.Type), Help: o.Help, Choices: o.Choices, Required: o.Required, Tuning: o.Tuning,
		}
		if !o.Required {
			text, err := json.Marshal(o.Default)
			if err != nil {
				return nil, fmt.Errorf("option %q: default: %w", o.Name, err)
			}
			p.DefaultJson = string(text)
		}
		r.Options = append(r.Options, p)
	}
	return r, nil
}

// DescriptionFromProto reads the answer to Describe. What it returns has not
// been through Check.
func DescriptionFromProto(r *proto.DescribeResponse) (Description, error) {
	d := Description{Name: r.GetName(), Version: r.GetVersion(), Summary: r.GetSummary(), Network: r.GetNetwork(), Env: r.GetEnvironment()}
	for _, m := range r.GetModalities() {
		modality, err := name(modalities, m, "modality")
		if err != nil {
			return d, err
		}
		d.Modalities = append(d.Modalities, modality)
	}
	for _, p := range r.GetOptions() {
		t, err := name(optionTypes, p.GetType(), fmt.Sprintf("option %q: type", p.GetName()))
		if err != nil {
			return d, err
		}
		o := Option{Name: p.GetName(), Type: t, Help: p.GetHelp(), Choices: p.GetChoices(), Required: p.GetRequired(), Tuning: p.GetTuning()}
		if err := o.setDefault([]byte(p.GetDefaultJson())); err != nil {
			return d, err
		}
		d.Options = append(d.Options, o)
	}
	return d, nil
}

func (i Info) toProto() *proto.Info {
	return &proto.Info{
		Dimension: uint32(i.Dimension), Sparse: i.Sparse, Metric: number[proto.Metric](metrics, i.Metric), UnitLength: i.UnitLength,
		NeedsFit: i.NeedsFit, Words: i.Words, MaxTokens: uint32(i.MaxTokens), Model: i.Model, ModelSha256: i.ModelSHA256,
		Device: i.Device, BatchInvariant: i.BatchInvariant,
	}
}

// InfoFromProto reads what a program promises and checks it.
func InfoFromProto(p *proto.Info) (Info, error) {
	metric, err := name(metrics, p.GetMetric(), "metric")
	if err != nil {
		return Info{}, err
	}
	i := Info{
		Dimension: int(p.GetDimension()), Sparse: p.GetSparse(), Metric: metric, UnitLength: p.GetUnitLength(),
		NeedsFit: p.GetNeedsFit(), Words: p.GetWords(), MaxTokens: int(p.GetMaxTokens()), Model: p.GetModel(), ModelSHA256: p.GetModelSha256(),
		Device: p.GetDevice(), BatchInvariant: p.GetBatchInvariant(),
	}
	return i, i.Check()
}

func (ds Diagnostics) toProto() []*proto.Diagnostic {
	var ps []*proto.Diagnostic
	for _, d := range ds {
		severity := proto.Severity_SEVERITY_WARNING
		if d.Error {
			severity = proto.Severity_SEVERITY_ERROR
		}
		ps = append(ps, &proto.Diagnostic{Severity: severity, Summary: d.Summary, Detail: d.Detail, Option: d.Option})
	}
	return ps
}

// DiagnosticsFromProto reads the remarks of Configure or Fit.
func DiagnosticsFromProto(ps []*proto.Diagnostic) (Diagnostics, error) {
	var ds Diagnostics
	for _, p := range ps {
		switch p.GetSeverity() {
		case proto.Severity_SEVERITY_WARNING, proto.Severity_SEVERITY_ERROR:
		default:
			return nil, fmt.Errorf("severity %d of %q is not one of protocol %d", p.GetSeverity(), p.GetSummary(), ProtocolVersion)
		}
		ds = append(ds, Diagnostic{
			Error: p.GetSeverity() == proto.Severity_SEVERITY_ERROR, Summary: p.GetSummary(), Detail: p.GetDetail(), Option: p.GetOption(),
		})
	}
	return ds, nil
}

// Refused reports whether a remark is an error.
func (ds Diagnostics) Refused() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Error })
}

// RowsToProto writes rows for a request, sharing their memory.
func RowsToProto(rows []Row) []*proto.Row {
	ps, all, texts := make([]*proto.Row, len(rows)), make([]proto.Row, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		p := &all[i]
		if r.HasText {
			texts[i] = r.Text
			p.Text = &texts[i]
		}
		for _, m := range r.Images {
			if m.Path != "" {
				p.Images = append(p.Images, &proto.Image{Source: &proto.Image_Path{Path: m.Path}})
			} else {
				p.Images = append(p.Images, &proto.Image{Source: &proto.Image_Data{Data: m.Data}})
			}
		}
		ps[i] = p
	}
	return ps
}

func rowFromProto(p *proto.Row) Row {
	r := Row{Text: p.GetText(), HasText: p != nil && p.Text != nil}
	for _, m := range p.GetImages() {
		r.Images = append(r.Images, ImageSource{Path: m.GetPath(), Data: m.GetData()})
	}
	return r
}

// toProto shares the memory of v.
func (v Vectors) toProto() *proto.Vectors {
	p := &proto.Vectors{}
	if d := v.Dense; d != nil {
		p.Matrix = &proto.Vectors_Dense{Dense: &proto.Dense{Rows: uint32(d.Rows), Columns: uint32(d.Columns), Data: bytesOf(d.Data)}}
	}
	if s := v.Sparse; s != nil {
		p.Matrix = &proto.Vectors_Sparse{Sparse: &proto.Sparse{
			Rows: uint32(s.Rows), Columns: uint32(s.Columns),
			Indptr: bytesOf(s.Indptr), Indices: bytesOf(s.Indices), Data: bytesOf(s.Data),
		}}
	}
	for _, s := range v.Statuses {
		p.Statuses = append(p.Statuses, &proto.RowStatus{
			Row: uint32(s.Row), Status: proto.Status(s.Status), TokensLost: uint32(s.TokensLost), Reason: s.Reason,
		})
	}
	return p
}

// VectorsFromProto reads an answer to a batch, sharing its memory. It fails
// where the lengths of the parts don't fit together; Vectors.Check tells whether
// the answer keeps what Info promised.
func VectorsFromProto(p *proto.Vectors) (Vectors, error) {
	var v Vectors
	switch m := p.GetMatrix().(type) {
	case *proto.Vectors_Dense:
		d := m.Dense
		if n := uint64(len(d.GetData())); n%4 != 0 || n/4 != uint64(d.GetRows())*uint64(d.GetColumns()) {
			return v, fmt.Errorf("%d bytes in a matrix of %d x %d float32", n, d.GetRows(), d.GetColumns())
		}
		v.Dense = &Dense{Rows: int(d.GetRows()), Columns: int(d.GetColumns()), Data: wordsOf[float32](d.GetData())}
	case *proto.Vectors_Sparse:
		s := m.Sparse
		if len(s.GetIndptr())%4 != 0 || len(s.GetIndices())%4 != 0 || len(s.GetData())%4 != 0 {
			return v, fmt.Errorf("%d, %d and %d bytes in the parts of a sparse matrix: not multiples of 4",
				len(s.GetIndptr()), len(s.GetIndices()), len(s.GetData()))
		}
		v.Sparse = &Sparse{
			Rows: int(s.GetRows()), Columns: int(s.GetColumns()),
			Indptr: wordsOf[uint32](s.GetIndptr()), Indices: wordsOf[uint32](s.GetIndices()), Data: wordsOf[float32](s.GetData()),
		}
	default:
		return v, fmt.Errorf("an answer without a matrix")
	}
	for _, s := range p.GetStatuses() {
		v.Statuses = append(v.Statuses, RowStatus{
			Row: int(s.GetRow()), Status: Status(s.GetStatus()), TokensLost: int(s.GetTokensLost()), Reason: s.GetReason(),
		})
	}
	return v, nil
}
