package main

import (
	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/run"
)

func (a *app) modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Fetch the models of embedders, and show those that are here",
		Long: "Models lie in the user's cache folder, bertopic/models/ORG/NAME. A configuration names one by that\n" +
			"name, or by the path of any other folder. Nothing but `models get` fetches a model.",
		Example: "  bertopic models get sentence-transformers/all-MiniLM-L6-v2\n  bertopic models list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var asJSON bool
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the models that are here",
		Example: "  bertopic models list\n  bertopic models list --json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return run.ListModels(a.stdout, asJSON) },
	}
	list.Flags().BoolVar(&asJSON, "json", false, "as JSON")

	var opt hub.GetOptions
	get := &cobra.Command{
		Use:   "get NAME...",
		Short: "Fetch models from a Hugging Face hub, or word vectors by gensim's names",
		Long: "Fetch the files of a model that embedding takes: settings, tokenizer, and weights in safetensors (in\n" +
			"ONNX if there are none). Each file is checked against the hub's hash. What an interrupted download has\n" +
			"brought is kept, and the same command goes on from there. A model that is here is left as it is,\n" +
			"without a connection.\n\n" +
			"The names of gensim's downloader (glove-wiki-gigaword-50, word2vec-google-news-300, ...) bring that file\n" +
			"of word vectors, checked against the MD5 of gensim-data's list.\n\n" +
			"From the environment: HF_ENDPOINT (another hub), HF_TOKEN (for private models and those with terms),\n" +
			"HF_HUB_OFFLINE=1 (open no connection), HTTPS_PROXY, GENSIM_DATA_URL (a copy of gensim-data).",
		Example: "  bertopic models get sentence-transformers/all-MiniLM-L6-v2\n" +
			"  bertopic models get BAAI/bge-small-en-v1.5 --revision main --update\n" +
			"  bertopic models get intfloat/e5-small-v2 --onnx\n" +
			"  bertopic models get glove-wiki-gigaword-50\n" +
			"  HF_ENDPOINT=https://hub.example bertopic models get my-team/my-model",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := a.env()
			if err != nil {
				return err
			}
			return run.GetModels(cmd.Context(), args, opt, env)
		},
	}
	f := get.Flags()
	f.StringVar(&opt.Revision, "revision", "", "branch, tag or commit (default: main)")
	f.BoolVar(&opt.Update, "update", false, "fetch what is newer than the model that is here, and check its files")
	f.BoolVar(&opt.ONNX, "onnx", false, "fetch the ONNX graph besides (onnx/model.onnx)")
	f.StringArrayVar(&opt.Files, "file", nil, "fetch these files besides: a name, a pattern like onnx/*.onnx, or a folder/ (may be repeated)")
	cmd.AddCommand(list, get)
	return cmd
}
