package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// serverName is what go-plugin writes into its certificates.
const serverName = "localhost"

// identity is a key and a certificate such as go-plugin makes for each start.
type identity struct {
	certificate tls.Certificate
	pem         string
}

func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader) // go-plugin's curve
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: serverName, Organization: []string{"bertopic conformance"}}, DNSNames: []string{serverName},
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		NotBefore:    time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &identity{
		certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem:         string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	}, nil
}

// config is for a connection to the program whose handshake has a certificate.
func (i *identity) config(certificate string) (*tls.Config, error) {
	der, err := base64.RawStdEncoding.DecodeString(certificate)
	if err != nil {
		return nil, fmt.Errorf("the certificate in its handshake is not base64 without padding: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("the certificate in its handshake is none")
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return &tls.Config{Certificates: []tls.Certificate{i.certificate}, RootCAs: pool, ServerName: serverName, MinVersion: tls.VersionTLS12}, nil
}
