package remote

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// counted are our own texts with the tokens that cl100k_base makes of them, as
// bpe-openai 0.1.4 of Python counts.
var counted = []struct {
	name, text string
	tokens     int
}{
	{"english", "The town council met on Tuesday afternoon to talk about the budget for the new library, which is 1,250,000 higher than last year's. \"We can't go on like this,\" said one member; others (seven of them, in all) thought that the roof, the heating and the reading room for children were worth it.\n\nA vote is expected in March 2027. Until then the old building at 14 Harbour Street stays open: Monday to Friday, 9.30 to 18.00, and on the first Saturday of each month.", 116},
	{"code", "for i := range rows {\n\tif rows[i].Status != OK {\n\t\treturn fmt.Errorf(\"row %d: %w\", i, err)\n\t}\n}", 33},
	{"zh", "今天下午市议会讨论了新的图书馆预算，许多居民参加了会议并提出了意见。", 38},
	{"ja", "昨日の午後、市議会は新しい図書館の予算について話し合い、多くの住民が意見を述べました。", 50},
	{"ko", "어제 오후 시의회는 새로운 도서관 예산을 논의했고 많은 주민들이 의견을 냈다.", 47},
	{"ru", "Вчера днём городской совет обсуждал бюджет новой библиотеки, и многие жители высказали своё мнение.", 53},
	{"ar", "ناقش مجلس المدينة بعد ظهر أمس ميزانية المكتبة الجديدة وأبدى كثير من السكان آراءهم", 56},
	{"he", "אתמול אחר הצהריים דנה מועצת העיר בתקציב הספרייה החדשה ותושבים רבים הביעו דעה", 74},
	{"hi", "कल दोपहर नगर परिषद ने नए पुस्तकालय के बजट पर चर्चा की और कई निवासियों ने अपनी राय दी", 85},
	{"th", "เมื่อวานตอนบ่ายสภาเมืองได้หารือเรื่องงบประมาณของห้องสมุดแห่งใหม่", 58},
	{"el", "Χθες το απόγευμα το δημοτικό συμβούλιο συζήτησε τον προϋπολογισμό της νέας βιβλιοθήκης", 79},
	{"de", "Gestern Nachmittag hat der Stadtrat über den Haushalt der neuen Bücherei beraten, und viele Einwohner äußerten ihre Meinung.", 40},
	{"fr", "Hier après-midi, le conseil municipal a débattu du budget de la nouvelle bibliothèque, et beaucoup d'habitants ont donné leur avis.", 36},
	{"pl", "Wczoraj po południu rada miasta omawiała budżet nowej biblioteki, a wielu mieszkańców wyraziło swoją opinię.", 44},
	{"emoji", "👍🎉😂🔥❤️🙏👩‍💻🇪🇺", 30},
	{"ta", "நேற்று பிற்பகல் நகர சபை புதிய நூலகத்தின் வரவு செலவுத் திட்டத்தை விவாதித்தது", 100},
}

func TestEstimate(t *testing.T) {
	for _, c := range counted {
		got := Estimate(c.text)
		share := float64(got) / float64(c.tokens)
		least, most := 0.55, 1.3 // it knows no language
		if c.name == "english" {
			least, most = 0.93, 1.07
		}
		if share < least || share > most {
			t.Errorf("%s: %d, counted %d: %.2f of it", c.name, got, c.tokens, share)
		}
	}
	if got := Estimate(" \t "); got != 0 {
		t.Errorf("white space: %d", got)
	}
}

func FuzzHead(f *testing.F) {
	for _, c := range counted {
		f.Add(c.text, 7)
	}
	f.Add(strings.Repeat("x", 3000), 100)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 0 || n > 1<<20 {
			return
		}
		h := head(text, n)
		if !strings.HasPrefix(text, h) {
			t.Fatalf("%q is no prefix of %q", h, text)
		}
		if got := Estimate(h); got > n {
			t.Errorf("a head of %d tokens has %d", n, got)
		}
		if whole := Estimate(text); whole <= n && h != text {
			t.Errorf("%d tokens were cut to %d", whole, n)
		}
		if b := headBytes(text, n); len(b) > n || !strings.HasPrefix(text, b) || utf8.ValidString(text) && !utf8.ValidString(b) {
			t.Errorf("headBytes(%q, %d) = %q", text, n, b)
		}
	})
}
