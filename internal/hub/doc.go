// Package hub keeps the folder of models: it finds a model by its name, lists
// what is there, and brings a model from a Hugging Face hub or from another
// service that speaks the same protocol.
//
// A model is a folder <user's cache>/bertopic/models/<org>/<name> that holds
// the files of its repository. A model that was fetched holds a file
// .bertopic-model.json beside them, which says from where, at which revision,
// and the size and SHA-256 of each file. A download is built in a hidden folder
// beside it and moved into place when every file is there and has the right
// hash, so a folder with a model's name is always whole.
package hub
