package host

import (
	"path/filepath"
	"testing"

	"github.com/bertopic-go/bertopic/sdk"
)

func TestPathsOfPicturesAreMadeAbsoluteAndAddressesAreLeftAlone(t *testing.T) {
	abs, err := filepath.Abs("img/a.png")
	if err != nil {
		t.Fatal(err)
	}
	given := sdk.Row{Images: []sdk.ImageSource{{Path: "img/a.png"}, {Path: "https://example.org/a.png"}, {Data: []byte("x")}}}
	got, changed := clean(given)
	if changed || got.Images[0].Path != abs || got.Images[1].Path != "https://example.org/a.png" || string(got.Images[2].Data) != "x" {
		t.Errorf("got %+v, %v", got.Images, changed)
	}
	if given.Images[0].Path != "img/a.png" {
		t.Error("the row that was given has changed")
	}
}
