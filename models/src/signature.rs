//! Whose bundles are armed: takes public keys and a file's bytes, gives whether the signature
//! beside the file (`<name>.minisig`, as `minisign -Sm` writes it) is one of theirs.
//!
//! A bundle's manifest names every file that is loaded by its hash, so that a signature of the
//! manifest is one of the whole bundle.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use minisign_verify::{Error as Refusal, PublicKey, Signature};
use thiserror::Error;

/// Why a file is not trusted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum SignatureError {
    /// Nobody has signed it.
    #[error(
        "{} is not signed, and only signed ones are armed here; right would be: its signature in \
         {}, made with `minisign -Sm {}`", .file.display(), .signature.display(), .file.display()
    )]
    Unsigned { file: PathBuf, signature: PathBuf },
    /// The signature can't be read.
    #[error("{}: {message}; right would be: what `minisign -Sm` wrote", .signature.display())]
    Unreadable { signature: PathBuf, message: String },
    /// Somebody else has signed it.
    #[error(
        "{} is signed with none of the {trusted} keys that are trusted here; right would be: a \
         signature of one of them, or its public key among `models.keys`", .file.display()
    )]
    Stranger { file: PathBuf, trusted: usize },
    /// It is not what was signed.
    #[error(
        "{} is not what was signed: it, or its signature, was changed afterwards; right would be: \
         the file as it was, or a new signature", .file.display()
    )]
    Changed { file: PathBuf },
}

/// Why a text is no public key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text:?} is no public key; right would be: the second line of minisign.pub, `RW…`")]
pub struct KeyError {
    /// Which of the texts, from 0.
    pub index: usize,
    /// The text.
    pub text: String,
}

/// Whose bundles are armed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    is_required: bool,
    keys: Vec<PublicKey>,
}

impl Trust {
    /// Trusts who signs with one of `keys`, each the second line of a `minisign.pub`. Where a
    /// signature is required, what is not signed is refused; elsewhere only what is signed wrongly.
    ///
    /// # Errors
    /// The first text that is no public key.
    pub fn from_keys<T: AsRef<str>>(is_required: bool, keys: &[T]) -> Result<Self, KeyError> {
        let key = |(index, text): (usize, &T)| {
            let text = text.as_ref();
            PublicKey::from_base64(text.trim())
                .map_err(|_| KeyError { index, text: text.to_owned() })
        };
        let keys = keys.iter().enumerate().map(key).collect::<Result<_, _>>()?;
        Ok(Self { is_required, keys })
    }

    /// Whether `bytes`, which were read from `file`, may be used.
    pub(crate) fn check(&self, file: &Path, bytes: &[u8]) -> Result<(), SignatureError> {
        if self.keys.is_empty() && !self.is_required {
            return Ok(());
        }
        let signature = signature_of(file);
        let text = match fs::read_to_string(&signature) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !self.is_required => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(SignatureError::Unsigned { file: file.to_owned(), signature });
            }
            Err(error) => {
                let message = error.to_string();
                return Err(SignatureError::Unreadable { signature, message });
            }
        };
        let signed = Signature::decode(&text).map_err(|error| SignatureError::Unreadable {
            signature,
            message: error.to_string(),
        })?;
        self.check_signed(file, bytes, &signed)
    }

    fn check_signed(
        &self,
        file: &Path,
        bytes: &[u8],
        signed: &Signature,
    ) -> Result<(), SignatureError> {
        let mut by_one_of_them = false;
        for key in &self.keys {
            // Signatures of before 2021 are taken too: they are as hard to forge.
            match key.verify(bytes, signed, true) {
                Ok(()) => return Ok(()),
                Err(Refusal::UnexpectedKeyId) => {}
                Err(_) => by_one_of_them = true,
            }
        }
        let file = file.to_owned();
        Err(match by_one_of_them {
            true => SignatureError::Changed { file },
            false => SignatureError::Stranger { file, trusted: self.keys.len() },
        })
    }
}

/// Where the signature of `file` is.
fn signature_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".minisig");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use minisign::KeyPair;

    use super::*;

    fn signed(pair: &KeyPair, file: &Path) {
        let bytes = Cursor::new(fs::read(file).unwrap());
        let signature = minisign::sign(Some(&pair.pk), &pair.sk, bytes, None, None).unwrap();
        fs::write(signature_of(file), signature.into_string()).unwrap();
    }

    fn trust(is_required: bool, pairs: &[&KeyPair]) -> Trust {
        let keys: Vec<_> = pairs.iter().map(|pair| pair.pk.to_base64()).collect();
        Trust::from_keys(is_required, &keys).unwrap()
    }

    struct Fixture {
        dir: tempfile::TempDir,
        ours: KeyPair,
        theirs: KeyPair,
    }

    impl Fixture {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("model.toml"), "name = 1").unwrap();
            let pair = || KeyPair::generate_unencrypted_keypair().unwrap();
            Self { dir, ours: pair(), theirs: pair() }
        }

        fn file(&self) -> PathBuf {
            self.dir.path().join("model.toml")
        }

        fn check(&self, trust: &Trust) -> Result<(), SignatureError> {
            trust.check(&self.file(), &fs::read(self.file()).unwrap())
        }
    }

    #[test]
    fn one_of_several_keys_is_enough() {
        let it = Fixture::new();
        signed(&it.ours, &it.file());
        it.check(&trust(true, &[&it.theirs, &it.ours])).unwrap();
        it.check(&Trust::default()).unwrap();
    }

    #[test]
    fn what_is_not_signed_is_refused_where_it_must_be() {
        let it = Fixture::new();
        let error = it.check(&trust(true, &[&it.ours])).unwrap_err();
        assert!(matches!(error, SignatureError::Unsigned { .. }));
        assert!(error.to_string().contains("model.toml.minisig"), "{error}");
        it.check(&trust(false, &[&it.ours])).unwrap();
        // No key at all trusts nobody.
        assert!(it.check(&trust(true, &[])).is_err());
    }

    #[test]
    fn a_stranger_is_refused_also_where_no_signature_is_needed() {
        let it = Fixture::new();
        signed(&it.theirs, &it.file());
        for is_required in [true, false] {
            let error = it.check(&trust(is_required, &[&it.ours])).unwrap_err();
            assert!(matches!(error, SignatureError::Stranger { trusted: 1, .. }), "{error}");
        }
    }

    #[test]
    fn what_was_changed_is_refused() {
        let it = Fixture::new();
        signed(&it.ours, &it.file());
        fs::write(it.file(), "name = 2").unwrap();
        let error = it.check(&trust(true, &[&it.ours])).unwrap_err();
        assert_eq!(error, SignatureError::Changed { file: it.file() });
        let path = signature_of(&it.file());
        fs::write(
            &path,
            fs::read_to_string(&path).unwrap().replace("trusted comment: t", "trusted comment: T"),
        )
        .unwrap();
        fs::write(it.file(), "name = 1").unwrap();
        let error = it.check(&trust(true, &[&it.ours])).unwrap_err();
        assert_eq!(error, SignatureError::Changed { file: it.file() });
        fs::write(&path, "nonsense").unwrap();
        let error = it.check(&trust(true, &[&it.ours])).unwrap_err();
        assert!(matches!(error, SignatureError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn a_text_that_is_no_key_is_named() {
        let it = Fixture::new();
        let keys = [it.ours.pk.to_base64(), "RWnonsense".to_owned()];
        let error = Trust::from_keys(true, &keys).unwrap_err();
        assert_eq!(error.index, 1);
        assert!(error.to_string().contains("RWnonsense"));
    }
}
