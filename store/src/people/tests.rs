//! People who come and go, who guess, and files that are not as they should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

fn pin(digits: &str) -> Pin {
    Pin::new(digits.to_owned())
}

fn at(seconds: i64) -> WallTime {
    WallTime { unix_ns: 1_700_000_000_000_000_000 + seconds * 1_000_000_000 }
}

fn people() -> (TempDir, People) {
    let dir = tempfile::tempdir().unwrap();
    let people = People::open_with(&dir.path().join("key"), PinCost::CHEAP).unwrap();
    (dir, people)
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("key/people.json")
}

#[test]
fn people_come_and_go_and_are_still_known() {
    let (dir, people) = people();
    assert_eq!(people.list().unwrap(), []);
    let ann = people.add(" Ann ", Role::Engineer, &pin("2580")).unwrap();
    let bea = people.add("Bea", Role::Operator, &pin("2580")).unwrap();
    assert!(ann.as_str().starts_with("p-") && ann.as_str().len() == 10 && ann != bea);
    assert_eq!(people.verify(&ann, &pin("2580"), at(0)).unwrap(), Some(Role::Engineer));
    assert_eq!(people.verify(&ann, &pin("2581"), at(0)).unwrap(), None);
    people.set_pin(&bea, &pin("13579")).unwrap();
    assert_eq!(people.verify(&bea, &pin("2580"), at(0)).unwrap(), None);
    assert_eq!(people.verify(&bea, &pin("13579"), at(0)).unwrap(), Some(Role::Operator));
    people.remove(&bea).unwrap();
    assert_eq!(people.verify(&bea, &pin("13579"), at(0)).unwrap(), None);
    for gone in [people.remove(&bea), people.set_pin(&bea, &pin("13579"))] {
        assert!(matches!(gone, Err(PeopleError::NoSuchPerson(_))));
    }
    let again = People::open(&dir.path().join("key")).unwrap();
    let known: Vec<_> = again.list().unwrap();
    assert_eq!((&*known[0].name, &*known[1].name), ("Ann", "Bea"));
    assert_eq!((known[0].is_active, known[1].is_active), (true, false));
}

#[test]
fn hashes_are_salted_and_no_pin_is_in_the_file() {
    let (dir, people) = people();
    for name in ["Ann", "Bea"] {
        people.add(name, Role::Engineer, &pin("25802580")).unwrap();
    }
    let text = fs::read_to_string(file(&dir)).unwrap();
    assert!(!text.contains("25802580"));
    let hashes: Vec<_> = text.lines().filter(|line| line.contains("$argon2id$v=19$")).collect();
    assert_eq!(hashes.len(), 2);
    assert_ne!(hashes[0], hashes[1]);
    let mode = fs::metadata(file(&dir)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::metadata(dir.path().join("key")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn the_last_engineer_stays() {
    let (_dir, people) = people();
    let ann = people.add("Ann", Role::Engineer, &pin("2580")).unwrap();
    people.add("Bea", Role::Quality, &pin("2580")).unwrap();
    let error = people.remove(&ann).unwrap_err();
    assert!(matches!(&error, PeopleError::LastEngineer(name) if name == "Ann"), "{error}");
    let cyd = people.add("Cyd", Role::Engineer, &pin("2580")).unwrap();
    people.remove(&ann).unwrap();
    people.remove(&cyd).unwrap_err();
}

#[test]
fn pins_that_everybody_tries_first_are_refused() {
    let (_dir, people) = people();
    let refused = |digits: &str| match people.add("Ann", Role::Engineer, &pin(digits)) {
        Err(PeopleError::Pin(error)) => Some(error),
        other => panic!("{other:?}"),
    };
    for obvious in ["0000", "1234", "4321", "7890", "987654", "111111111111"] {
        assert_eq!(refused(obvious), Some(PinError::Obvious), "{obvious}");
    }
    for (digits, length) in [("", 0), ("258", 3), ("2580258025802", 13)] {
        assert_eq!(refused(digits), Some(PinError::Length(length)));
    }
    for not in ["25a0", "２５８０", "-258", "25 80"] {
        assert_eq!(refused(not), Some(PinError::NotDigits));
    }
    for fine in ["1235", "1357", "1212", "258025802580"] {
        assert_eq!(pin::check(&pin(fine)), Ok(()));
    }
}

#[test]
fn names_are_names_and_taken_once() {
    let (_dir, people) = people();
    for not in ["", "  ", "a\nb", &"x".repeat(61)] {
        let error = people.add(not, Role::Engineer, &pin("2580")).unwrap_err();
        assert!(matches!(error, PeopleError::NotAName), "{error}");
    }
    let ann = people.add("Ann", Role::Quality, &pin("2580")).unwrap();
    let error = people.add("ann", Role::Engineer, &pin("2580")).unwrap_err();
    assert!(matches!(error, PeopleError::NameTaken(_)), "{error}");
    people.remove(&ann).unwrap();
    people.add("Ann", Role::Engineer, &pin("2580")).unwrap();
}

#[test]
fn who_guesses_waits_longer_and_longer_also_after_a_restart() {
    let (dir, people) = people();
    let ann = people.add("Ann", Role::Engineer, &pin("2580")).unwrap();
    let bea = people.add("Bea", Role::Operator, &pin("2580")).unwrap();
    let mut now = 0;
    for _ in 0..5 {
        assert_eq!(people.verify(&ann, &pin("1111"), at(now)).unwrap(), None);
    }
    for wait in [10, 20, 40, 80, 160, 320, 640, 900, 900, 900] {
        let again = People::open_with(&dir.path().join("key"), PinCost::CHEAP).unwrap();
        // Not even the right one is tried.
        let error = again.verify(&ann, &pin("2580"), at(now + wait - 1)).unwrap_err();
        assert!(matches!(error, PeopleError::Wait { seconds: 1 }), "{error}");
        now += wait;
        assert_eq!(again.verify(&ann, &pin("1111"), at(now)).unwrap(), None);
    }
    assert_eq!(people.verify(&bea, &pin("2580"), at(now)).unwrap(), Some(Role::Operator));
    assert_eq!(people.verify(&ann, &pin("2580"), at(now + 900)).unwrap(), Some(Role::Engineer));
    // All is forgotten.
    assert_eq!(people.verify(&ann, &pin("1111"), at(now + 900)).unwrap(), None);
    assert_eq!(people.verify(&ann, &pin("2580"), at(now + 900)).unwrap(), Some(Role::Engineer));
}

#[test]
fn a_clock_that_went_back_locks_nobody_out() {
    let (_dir, people) = people();
    let ann = people.add("Ann", Role::Engineer, &pin("2580")).unwrap();
    for _ in 0..5 {
        people.verify(&ann, &pin("1111"), at(1_000_000)).unwrap();
    }
    let error = people.verify(&ann, &pin("2580"), at(0)).unwrap_err();
    assert!(matches!(error, PeopleError::Wait { seconds: 10 }), "{error}");
    assert_eq!(people.verify(&ann, &pin("2580"), at(10)).unwrap(), Some(Role::Engineer));
    // A clock at its end makes nobody wait or pass by mistake.
    for now in [i64::MIN, i64::MAX] {
        people.verify(&ann, &pin("1111"), WallTime { unix_ns: now }).unwrap();
    }
}

#[test]
fn a_file_that_others_may_read_is_refused_with_what_to_do() {
    let (dir, people) = people();
    people.add("Ann", Role::Engineer, &pin("2580")).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(file(&dir), fs::Permissions::from_mode(mode)).unwrap();
        let error = People::open(&dir.path().join("key")).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        people.add("Bea", Role::Engineer, &pin("2580")).unwrap_err();
    }
    fs::set_permissions(file(&dir), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(people.list().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let (dir, people) = people();
    people.add("Ann", Role::Engineer, &pin("2580")).unwrap();
    fs::write(file(&dir), "{\"people\": [}").unwrap();
    let error = people.add("Bea", Role::Engineer, &pin("2580")).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
    assert_eq!(fs::read(file(&dir)).unwrap(), b"{\"people\": [}");
}

#[test]
fn two_that_have_the_file_open_lose_nothing_of_each_other() {
    let (dir, _people) = people();
    let folder = dir.path().join("key");
    std::thread::scope(|scope| {
        for name in ["Ann", "Bea", "Cyd", "Dee"] {
            let folder = &folder;
            scope.spawn(move || {
                let people = People::open_with(folder, PinCost::CHEAP).unwrap();
                people.add(name, Role::Engineer, &pin("2580")).unwrap();
            });
        }
    });
    assert_eq!(People::open(&folder).unwrap().list().unwrap().len(), 4);
}

/// Not a test of speed: says what a PIN costs on this machine (`--nocapture`).
#[test]
fn what_a_pin_costs_is_what_is_stated() {
    let hash = PinCost::default().hash(&pin("2580"), [7; 16]).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{hash}");
    assert!(pin::is_of(&pin("2580"), &hash));
    assert!(!pin::is_of(&pin("2581"), &hash));
    assert!(!pin::is_of(&pin("2580"), "no hash"));
}
