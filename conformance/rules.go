package conformance

// Groups of rules that later ones need.
var (
	usable   = []string{"EMB-001", "EMB-002"}
	promised = append(usable[:2:2], "EMB-013", "EMB-014", "EMB-017")
	answered = append(promised[:5:5], "EMB-020", "EMB-021", "EMB-022")
	shaped   = append(answered[:8:8], "EMB-023", "EMB-024")
)

func with(needs []string, more ...string) []string {
	return append(needs[:len(needs):len(needs)], more...)
}

// checks are all rules in the order in which they are tried. An id belongs to
// its rule for ever.
var checks = []check{
	{Rule{"EMB-001", "--describe prints a sound description under the name of the file", "the host checks the user's options and `plugins describe` documents them before anything is started", Must}, nil, describes},
	{Rule{"EMB-002", "the program starts, prints a handshake of protocol 1 and answers at its address", "without it nothing else can be asked", Must}, nil, starts},
	{Rule{"EMB-003", "standard output is silent before the handshake", "a plain go-plugin host takes the first line for the handshake and gives up", Must}, []string{"EMB-002"}, startsSilently},
	{Rule{"EMB-004", "the description is the same each time, by --describe and on the wire", "options are checked against the one and used by the other", Must}, usable, describesAlike},
	{Rule{"EMB-005", "the health service says SERVING for the service plugin", "the host asks it whether a silent program is at work or gone", Should}, usable, healthy},
	{Rule{"EMB-006", "mutual TLS is kept where the handshake has a certificate for it", "it guards the connection where a socket's folder does not; one that can't do it leaves the certificate out", Should}, usable, keepsToTLS},

	{Rule{"EMB-010", "Embed before Configure is refused with FAILED_PRECONDITION", "an unconfigured program would answer with some model or other", Must}, usable, waitsForConfigure},
	{Rule{"EMB-011", "an unknown option is refused", "a misspelt option would silently be the default", Must}, usable, refusesUnknown},
	{Rule{"EMB-012", "an option of the wrong type is refused", "the same: what can't be meant must not be guessed at", Must}, usable, refusesWrongTypes},
	{Rule{"EMB-013", "the given options are taken within the time limit", "the rules that follow need a configured program", Must}, usable, takesOptions},
	{Rule{"EMB-014", "the promise has a known metric, and a dimension unless a fit is needed", "the pipeline is set up by it", Must}, with(usable, "EMB-013"), promisesSoundly},
	{Rule{"EMB-015", "Configure works again, with the same promise, also after a refusal", "a debugger's session and a long-lived host configure one process several times", Must}, with(usable, "EMB-013", "EMB-014"), configuresTwice},
	{Rule{"EMB-016", "Embed before Fit is refused with FAILED_PRECONDITION", "vectors of a program that has learned nothing mean nothing", Must}, with(usable, "EMB-013", "EMB-014"), waitsForFit},
	{Rule{"EMB-017", "Fit, where it is needed, reads the rows and fixes the dimension", "the dimension is the pipeline's, and what was learned travels with the model", Must}, with(usable, "EMB-013", "EMB-014"), fits},
	{Rule{"EMB-018", "words are embedded where that is promised and refused where not", "representations by words compare them with documents", Must}, promised, embedsWords},

	{Rule{"EMB-020", "each batch of a stream is answered", "a batch without an answer costs the run a restart", Must}, promised, answers},
	{Rule{"EMB-021", "answers come once each, in the order of the batches, with their sequence numbers", "vectors must not end at other documents", Must}, with(promised, "EMB-020"), keepsOrder},
	{Rule{"EMB-022", "each answer is a well-formed matrix of the promised kind", "bytes that don't fit their shape can't be read", Must}, with(promised, "EMB-020", "EMB-021"), wellFormed},
	{Rule{"EMB-023", "n rows in, n rows out", "one row less moves all that follow to other documents", Must}, answered, countsRows},
	{Rule{"EMB-024", "every row has the promised dimension", "a matrix has one width", Must}, answered, hasDimension},
	{Rule{"EMB-025", "every value is finite", "one NaN makes every distance of its row, and many a layout, NaN", Must}, answered, finite},
	{Rule{"EMB-026", "statuses are sound: of rows that exist, known, with zeros exactly where there is no vector", "rows without a vector are counted by cause; all zeros has no angle to anything", Must}, answered, soundStatuses},
	{Rule{"EMB-027", "vectors have unit length where that is promised", "the pipeline takes a dot product for the cosine then", Must}, answered, unitLength},
	{Rule{"EMB-028", "no value is negative under the hellinger metric", "it takes square roots", Must}, answered, notNegative},
	{Rule{"EMB-029", "most plain rows get a vector", "a program that fails at everything keeps every other promise", Must}, shaped, embedsMost},

	{Rule{"EMB-030", "the same batch has the same bits the second time", "a run must be repeatable", Must}, shaped, repeats},
	{Rule{"EMB-031", "row i of the answer belongs to row i of the batch", "vectors must not end at other documents", Must}, with(shaped, "EMB-030"), placesRows},
	{Rule{"EMB-032", "an empty row has the status empty (or oov), white space is answered", "an invented vector for nothing makes a topic of nothing", Must}, shaped, emptyRows},
	{Rule{"EMB-033", "a text of a megabyte is answered", "one long document must not end a run", Must}, shaped, longRows},
	{Rule{"EMB-034", "every valid text is answered: all scripts, combining marks, control characters, a word without end", "corpora hold them all", Must}, shaped, hardRows},
	{Rule{"EMB-035", "a picture that is missing, damaged or not taken gives its row the status failed", "one bad file must not end a run", Must}, shaped, missingPictures},
	{Rule{"EMB-036", "a row without a vector does nothing to its neighbours", "the same; and a neighbour's vector must not depend on it", Must}, with(shaped, "EMB-030", "EMB-032", "EMB-035"), sparesNeighbours},
	{Rule{"EMB-037", "a row of a text and a picture gets the mean of both at unit length (the plain mean with average = \"raw\")", "mixed corpora need one rule for all programs", Must}, with(shaped, "EMB-030"), averages},
	{Rule{"EMB-038", "a picture gets the same vector however the camera was held, as EXIF has it", "half of all photographs would be seen lying on their side", Should}, with(shaped, "EMB-030"), upright},

	{Rule{"EMB-040", "a row has the same bits alone, in a full batch and among other neighbours, where that is promised", "workers, batch sizes and resumed runs would change topics", Must}, with(shaped, "EMB-031", "EMB-030"), batchInvariant},
	{Rule{"EMB-041", "a new process, fitted anew where needed, gives the same bits", "a restart in the middle of a run would change topics", Must}, with(shaped, "EMB-030"), outlivesRestart},
	{Rule{"EMB-042", "one thread gives the same bits as all cores", "the same run on another machine must give the same topics", Must}, with(shaped, "EMB-030", "EMB-041"), heedsNoThreads},
	{Rule{"EMB-043", "two streams at once are both answered, with the same bits", "the protocol allows several streams at a time", Must}, with(shaped, "EMB-030"), twoStreams},
	{Rule{"EMB-044", "texts, pictures, both and neither in one batch fare as they do alone, in any order", "mixed corpora come in any order", Must}, with(shaped, "EMB-030", "EMB-036"), mixes},

	{Rule{"EMB-050", "a new process that loads the saved state gives the same bits", "a fitted embedder travels with the model", Must}, with(shaped, "EMB-030"), savesState},
	{Rule{"EMB-051", "bytes that are no state are refused", "a damaged model must end in an error, not in wrong vectors", Must}, shaped, refusesBadState},

	{Rule{"EMB-060", "a batch of more than 4 MiB is taken", "gRPC's own limit is 4 MiB, the host's batches go up to 16", Must}, shaped, largeBatch},
	{Rule{"EMB-061", "a batch that is given up does not hold up the next by more than a second", "Ctrl-C and a time-out must work", Must}, shaped, heedsCancel},
	{Rule{"EMB-062", "memory does not grow from batch to batch", "a run has thousands of batches", Should}, shaped, growsNot},

	{Rule{"EMB-070", "standard output is silent after the handshake", "a long line blocks the program under a plain go-plugin host", Must}, shaped, silentOutput},
	{Rule{"EMB-071", "standard error gets less than a MiB for a few batches", "a flood hides what matters and costs time", Should}, shaped, talksLittle},
	{Rule{"EMB-072", "after Shutdown the program is gone within 2 seconds, with exit code 0", "devices and temporary files are put away; later it is killed", Must}, promised, endsCleanly},
	{Rule{"EMB-073", "the program ends by itself when the process that started it dies", "or each crash of a host leaves a model in memory", Must}, usable, diesWithParent},
	{Rule{"EMB-074", "after Shutdown the program is gone within 2 seconds even while a batch is at work", "Ctrl-C comes in the midst of work; later it is killed", Must}, with(promised, "EMB-072"), endsBusy},
	{Rule{"EMB-075", "a program that declares no network opens no connection", "texts are confidential; what a program sends where is for its user to know", Must}, usable, staysOffline},

	{Rule{"EMB-090", "speed, for information", "to compare programs and options on one machine", Note}, shaped, speed},
}
