package hub

// Kind says what is to be done about an Error.
type Kind int

const (
	KindName    Kind = iota // no name of a model
	KindMissing             // the hub has no such model, revision or file, or none that can be used
	KindAccess              // a token is needed, or the one given doesn't do
	KindOffline             // the environment forbids connections
	KindNetwork             // the hub is out of reach, or answers with a fault of its own
	KindContent             // what came is not what the hub says it holds
	KindLocal               // a file or a process of this machine is in the way
)

// Error is a model that could not be fetched.
type Error struct {
	Kind Kind
	Msg  string
	Err  error // may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }
