//! Puts a folder in another's place: takes both; the one that is replaced is kept as its `.old`.
//! Killed between any two steps it leaves a whole folder in force, the new one or the former.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use super::draft::beside;

/// What is done in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The two change places, both at once.
    Exchange,
    /// What was former until now goes.
    ForgetOld,
    /// What was in force is the former.
    KeepFormer,
    /// All of it is on the disk.
    Sync,
}

/// Puts the folder `new` in force as `folder`. `before` is asked before each step.
///
/// # Errors
/// When the disk does not do it; what was in force is then still there.
pub fn put_in_force(
    new: &Path,
    folder: &Path,
    before: &mut dyn FnMut(Step) -> Result<()>,
) -> Result<()> {
    let name = || folder.display().to_string();
    before(Step::Exchange)?;
    if folder.exists() {
        renameat2(AT_FDCWD, new, AT_FDCWD, folder, RenameFlags::RENAME_EXCHANGE)
            .map_err(|error| explained(error, new, folder))?;
        before(Step::ForgetOld)?;
        // It is in force; that the former one is not kept is not worth an error to the person.
        let kept = forget_old(folder)
            .and_then(|()| before(Step::KeepFormer))
            .and_then(|()| fs::rename(new, beside(folder, ".old")?).with_context(name));
        if let Err(error) = kept {
            tracing::warn!(target: "calibrate", "the former calibration: {error:#}");
        }
    } else {
        fs::rename(new, folder).with_context(name)?;
    }
    before(Step::Sync)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new("."))).and_then(|it| it.sync_all()).with_context(name)
}

/// Keeps `former` as what was in force as `folder` before.
///
/// # Errors
/// When the disk does not do it.
pub fn keep_former(former: &Path, folder: &Path) -> Result<()> {
    forget_old(folder)?;
    fs::rename(former, beside(folder, ".old")?).with_context(|| former.display().to_string())
}

fn forget_old(folder: &Path) -> Result<()> {
    let old = beside(folder, ".old")?;
    match fs::remove_dir_all(&old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| old.display().to_string())
        }
        _ => Ok(()),
    }
}

/// Old and network file systems can't exchange two names at once.
fn explained(error: Errno, new: &Path, folder: &Path) -> anyhow::Error {
    let (new, folder) = (new.display(), folder.display());
    let error = anyhow::Error::from(io::Error::from(error));
    error.context(format!(
        "{folder}: this file system does not put {new} in its place at once; it is accepted: stop \
         the line and move it there by hand, or keep profiles on a local disk"
    ))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use tempfile::TempDir;

    use super::*;

    fn folder(root: &TempDir, name: &str, holds: &str) -> std::path::PathBuf {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("profile.toml"), holds).unwrap();
        folder
    }

    fn holds(folder: &Path) -> String {
        fs::read_to_string(folder.join("profile.toml")).unwrap()
    }

    /// What is in force when the program is killed before each step, and what is kept.
    #[test]
    fn whenever_it_is_killed_a_whole_profile_is_in_force() {
        let steps = [Step::Exchange, Step::ForgetOld, Step::KeepFormer, Step::Sync];
        for killed_before in steps {
            let root = TempDir::new().unwrap();
            let (top, new) = (folder(&root, "top", "former"), folder(&root, "top.draft", "new"));
            let old = folder(&root, "top.old", "oldest");
            let mut kill = |step| if step == killed_before { bail!("killed") } else { Ok(()) };
            let _ = put_in_force(&new, &top, &mut kill);
            let (in_force, kept) = match killed_before {
                Step::Exchange => ("former", [Some("new"), Some("oldest")]),
                Step::ForgetOld => ("new", [Some("former"), Some("oldest")]),
                Step::KeepFormer => ("new", [Some("former"), None]),
                Step::Sync => ("new", [None, Some("former")]),
            };
            assert_eq!(holds(&top), in_force, "{killed_before:?}");
            let there = [&new, &old].map(|it| it.exists().then(|| holds(it)));
            assert_eq!(there.each_ref().map(Option::as_deref), kept, "{killed_before:?}");
        }
    }

    #[test]
    fn the_first_profile_has_no_former_one() {
        let root = TempDir::new().unwrap();
        let (top, new) = (root.path().join("top"), folder(&root, "top.draft", "new"));
        put_in_force(&new, &top, &mut |_| Ok(())).unwrap();
        assert_eq!(holds(&top), "new");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
