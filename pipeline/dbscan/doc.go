// Package dbscan clusters points by density (Ester, Kriegel, Sander and Xu,
// 1996): points with enough neighbours within a radius are cores, cores within
// the radius of each other share a cluster, and other points join a core's
// cluster or are noise, -1.
//
// Labels are scikit-learn's: clusters are numbered by their first core point,
// and a border point within reach of several clusters joins the lowest. Memory
// is in proportion to the points, whatever the radius. There are no random
// numbers and the result is the same on any number of threads.
package dbscan
