//! The certificates of the stand-in for AWS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use rustls::{CipherSuite, ServerConfig};

use super::Fault;

/// A certificate authority. Only clients that read its file trust it. Dropping this value deletes the file.
///
/// Like AWS's endpoints, its servers have a chain of three RSA certificates and use TLS 1.3 with AES-128-GCM.
#[derive(Debug)]
pub struct Authority {
    path: PathBuf,
    good: Arc<ServerConfig>,
    wrong_name: Arc<ServerConfig>,
    untrusted: Arc<ServerConfig>,
}

impl Authority {
    /// Creates it, with its file in this folder.
    pub fn new(folder: &Path) -> Arc<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let authority = root(key());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("authority-{}-{number}.pem", std::process::id()));
        std::fs::write(&path, authority.pem()).unwrap();
        let issuer = CertifiedIssuer::signed_by(params("Issuer"), key(), &authority).unwrap();
        let untrusted_root = root(KeyPair::generate().unwrap());
        let key = key();
        Arc::new(Self {
            path,
            good: server("localhost", &key, &issuer),
            wrong_name: server("cognito-idp.example.com", &key, &issuer),
            untrusted: server("localhost", &key, &untrusted_root),
        })
    }

    /// The path of its own certificate, in PEM.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stand-in's TLS configuration, with this fault or without.
    pub(super) fn server(&self, fault: Option<Fault>) -> Arc<ServerConfig> {
        Arc::clone(match fault {
            Some(Fault::WrongName) => &self.wrong_name,
            Some(Fault::UntrustedAuthority) => &self.untrusted,
            _ => &self.good,
        })
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()
}

fn root(key: KeyPair) -> CertifiedIssuer<'static, KeyPair> {
    CertifiedIssuer::self_signed(params("Root"), key).unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut certificate = CertificateParams::new([]).unwrap();
    certificate.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    certificate
        .distinguished_name
        .push(DnType::CommonName, name);
    certificate
}

fn server(
    name: &str,
    key: &KeyPair,
    issuer: &CertifiedIssuer<'static, KeyPair>,
) -> Arc<ServerConfig> {
    let certificate = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = certificate.signed_by(key, issuer).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone(), issuer.der().clone()];
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain,
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        );
    Arc::new(config.unwrap())
}
