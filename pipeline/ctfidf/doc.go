// Package ctfidf weighs the words of classes of documents by c-TF-IDF, the
// class-based tf-idf of BERTopic (Grootendorst, "BERTopic: Neural topic
// modeling with a class-based TF-IDF procedure", 2022): what a topic says
// often and the others seldom is a word of the topic.
//
// The input is the counts of a vocabulary in each class, which are sums of the
// documents' counts ([vectorize.SumRows]), so that re-assigning or merging
// topics costs a sum and not a reading of the texts. Sums are of integers and
// weights float64; results are the same, bit for bit, on any number of threads.
package ctfidf
