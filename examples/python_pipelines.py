"""A pipeline for examples/python-sklearn.toml. Its seed is the run's."""

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

tfidf_svd = make_pipeline(TfidfVectorizer(min_df=2, stop_words="english", sublinear_tf=True), TruncatedSVD(100))
