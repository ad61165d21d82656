package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// sampleWords is a small vocabulary for each of the sample's topics.
var sampleWords = []string{
	"hockey team season playoffs goalie puck league coach scored ice",
	"encryption key clipper chip privacy escrow government algorithm cipher agency",
	"orbit shuttle launch satellite nasa moon lunar spacecraft mission propulsion",
	"car engine dealer mileage brakes clutch transmission driver torque wheel",
	"god jesus bible church faith christian scripture sin prayer gospel",
	"window widget server motif xterm display toolkit client pixmap callback",
	"drive scsi disk controller ide jumper cable boot floppy partition",
	"doctor patients disease treatment diet symptoms infection vitamin clinical dose",
	"gun firearms weapon amendment handgun crime militia rifle ban owner",
	"israel arab peace territory border palestinian war lebanon treaty occupied",
	"bike riding helmet motorcycle bmw countersteering dog lane rider honda",
	"monitor video card vga colors resolution driver screen svga refresh",
	"baseball pitcher hitter inning batting braves runs shortstop bullpen mets",
	"image jpeg gif format bitmap viewer convert colour quality compression",
	"circuit voltage amplifier battery resistor signal capacitor audio current radar",
	"sale shipping offer price asking condition manual sell obo cash",
	"armenian turkish genocide soviet azerbaijan village massacre turks karabakh yerevan",
	"windows dos memory swap files excel config printer fonts emm",
	"moral objective morality atheism belief argument values evidence claim logic",
	"polygon graphics algorithm rendering surface sphere ray points library plane",
}

// sample is a report like a real run's: topics of uneven size, outliers
// between them, every section filled.
func sample(topics, points int) Report {
	const seed = 7
	unit := func(a, b int) float64 { return rng.Unit(rng.Hash2(seed, uint64(a), uint64(b))) }
	normal := func(a, b int) float64 { return rng.Normal(seed, uint64(a), uint64(b)) }
	f := func(x float64) *float64 { return &x }
	r := Report{
		Title: "Twenty newsgroups",
		Run: Run{
			Version: "0.1.0", Date: "26 November 2026", Corpus: "data/newsgroups.jsonl", Rows: points, Seed: 42,
			Embedder: Embedder{Name: "sbert", Version: "0.1.0", Dimension: 384, Metric: "cosine", Device: "cpu"},
			Steps: []Step{
				{"read corpus", 0.84, 210 << 20}, {"embed", 96.2, 780 << 20}, {"neighbours", 2.14, 512 << 20},
				{"reduce", 5.9, 640 << 20}, {"cluster", 0.41, 300 << 20}, {"words", 0.93, 420 << 20}, {"map", 1.7, 320 << 20},
			},
		},
		Quality: Quality{OutlierShare: f(0.214), NPMI: f(0.1537), Diversity: f(0.842)},
		Status:  []Count{{"ok", points * 92 / 100}, {"truncated", points * 7 / 100}, {"empty", points / 100}, {"failed", 2}},
		OutlierCauses: []Count{
			{"noise", points * 20 / 100}, {"empty", points / 100}, {"disconnected", 3}, {"failed", 2},
		},
	}
	for _, s := range strings.Fields("run.seed=42 run.threads=0 run.on_bad_row=outlier corpus.path=data/newsgroups.jsonl corpus.text=text corpus.id=id embedder.plugin=sbert embedder.workers=1 embedder.batch_size=32 embedder.options.model=all-MiniLM-L6-v2 reduce.method=umap reduce.n_neighbors=15 reduce.n_components=5 reduce.min_dist=0 reduce.metric=cosine cluster.method=hdbscan cluster.min_cluster_size=10 cluster.min_samples=10 cluster.cluster_selection_method=eom vectorizer.ngram_range=[1,1] vectorizer.stop_words=english vectorizer.min_df=1 topics.top_n_words=10 topics.nr_topics=0 ctfidf.bm25_weighting=false ctfidf.reduce_frequent_words=false") {
		k, v, _ := strings.Cut(s, "=")
		r.Run.Settings = append(r.Run.Settings, Setting{k, v})
	}
	r.Run.Warnings = []Warning{
		{"truncated-rows", "210 documents are longer than the model's 256 tokens; the rest of each was not read."},
		{"empty-rows", "30 documents are empty; they are outliers."},
	}
	weights := make([]float64, topics)
	sum := 0.0
	for t := range topics {
		weights[t] = math.Pow(float64(t+1), -0.7)
		sum += weights[t]
	}
	type spot struct{ x, y, w float64 }
	spots := make([]spot, topics)
	counts := make([]int, topics)
	for t := range spots {
		a := 2.399963 * float64(t)
		d := 1.6 * math.Sqrt(float64(t)+0.4)
		spots[t] = spot{d * math.Cos(a), d * math.Sin(a), 0.25 + 0.35*unit(t, 9)}
	}
	outliers := 0
	for i := range points {
		p := Point{Topic: -1, ID: fmt.Sprintf("doc-%05d", i), Probability: math.NaN()}
		if topics == 0 || unit(i, 100) < 0.21 {
			p.X, p.Y = 12*unit(i, 101)-6, 12*unit(i, 102)-6
			p.Text = "a text that belongs to no group, number " + p.ID
			outliers++
		} else {
			x, t := unit(i, 103)*sum, 0
			for t < topics-1 && x > weights[t] {
				x -= weights[t]
				t++
			}
			s := spots[t]
			p.Topic, p.Probability = t, 0.5+0.5*unit(i, 104)
			p.X, p.Y = s.x+s.w*normal(i, 105)+0.3*math.Sin(3*normal(i, 107)), s.y+s.w*normal(i, 106)
			p.Text = "I was wondering about the " + strings.Join(strings.Fields(sampleWords[t%len(sampleWords)])[i%6:i%6+4], " and the ") + ", does anyone here know more?"
			counts[t]++
		}
		r.Points = append(r.Points, p)
	}
	for t := range topics {
		words := strings.Fields(sampleWords[t%len(sampleWords)])
		topic := Topic{ID: t, Count: counts[t], Name: fmt.Sprintf("%d_%s", t, strings.Join(words[:4], "_"))}
		for k, w := range words {
			topic.Words = append(topic.Words, Word{w, 0.09 * math.Exp(-float64(k)*(0.08+0.15*unit(t, 50)))})
		}
		topic.Aspects = []Aspect{{"KeyBERT", []Word{{words[2], 0.7}, {words[0], 0.6}, {words[5], 0.5}}}}
		for k := range 3 {
			topic.Examples = append(topic.Examples, Example{
				ID: fmt.Sprintf("doc-%05d", 37*t+k), Probability: 1 - 0.01*float64(k),
				Text: strings.Repeat("The "+words[k]+" and the "+words[k+1]+" came up again this week, and I still think that the "+words[k+3]+" matters most. ", k+1),
			})
		}
		for d := range 16 {
			topic.Centroid = append(topic.Centroid, float32(normal(t/2, 200+d)+0.8*normal(t, 300+d)+0.5))
		}
		r.Topics = append(r.Topics, topic)
	}
	if topics > 0 {
		r.OverTime, r.PerClass = &Spread{}, &Spread{}
		for b := range 24 {
			from := time.Date(2003, time.Month(1+3*b), 1, 0, 0, 0, 0, time.UTC)
			r.OverTime.Parts = append(r.OverTime.Parts, Part{From: from, To: from.AddDate(0, 3, 0)})
			for t := range topics {
				if n := int(float64(counts[t]) * unit(t, 400+b/6) * unit(t, 500+b) / 6); n > 0 && b != 11 {
					r.OverTime.Counts = append(r.OverTime.Counts, PartCount{t, b, n})
					r.OverTime.Parts[b].Rows += n
				}
			}
		}
		for c, name := range []string{"comp", "rec", "sci", "a class with a very long name of its own"} {
			r.PerClass.Parts = append(r.PerClass.Parts, Part{Name: name})
			for t := range topics {
				if n := counts[t] / 4; (t+c)%3 > 0 && n > 0 {
					r.PerClass.Counts = append(r.PerClass.Counts, PartCount{t, c, n})
					r.PerClass.Parts[c].Rows += n
				}
			}
		}
	}
	if points > 0 {
		r.Topics = append(r.Topics, Topic{ID: -1, Count: outliers, Name: "-1_the_people_time_know", Words: []Word{{"people", 0.011}, {"time", 0.010}, {"know", 0.009}}})
	}
	return r
}
