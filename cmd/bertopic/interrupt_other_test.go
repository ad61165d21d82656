//go:build !unix

package main

func interruptChildren(string, string) {}
