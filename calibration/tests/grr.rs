//! Gauge R&R against the worked example of AIAG's manual, and text that is not a study.

use proptest::prelude::*;
use sightline_calibration::grr::{
    Component, Fitness, Settings, Study, StudyRefused, TooFewValues, Type1Convention, capability,
    type1,
};

/// AIAG, *Measurement Systems Analysis*, 4th ed., figure III-B 6a: by appraiser, then trial, the
/// ten parts.
const AIAG: [[[f64; 10]; 3]; 3] = [
    [
        [0.29, -0.56, 1.34, 0.47, -0.80, 0.02, 0.59, -0.31, 2.26, -1.36],
        [0.41, -0.68, 1.17, 0.50, -0.92, -0.11, 0.75, -0.20, 1.99, -1.25],
        [0.64, -0.58, 1.27, 0.64, -0.84, -0.21, 0.66, -0.17, 2.01, -1.31],
    ],
    [
        [0.08, -0.47, 1.19, 0.01, -0.56, -0.20, 0.47, -0.63, 1.80, -1.68],
        [0.25, -1.22, 0.94, 1.03, -1.20, 0.22, 0.55, 0.08, 2.12, -1.62],
        [0.07, -0.68, 1.34, 0.20, -1.28, 0.06, 0.83, -0.34, 2.19, -1.50],
    ],
    [
        [0.04, -1.38, 0.88, 0.14, -1.46, -0.29, 0.02, -0.46, 1.77, -1.49],
        [-0.11, -1.13, 1.09, 0.20, -1.07, -0.67, 0.01, -0.56, 1.45, -1.77],
        [-0.15, -0.96, 0.67, 0.11, -1.45, -0.49, 0.21, -0.49, 1.87, -2.16],
    ],
];

fn csv(values: &[[[f64; 10]; 3]; 3]) -> String {
    let mut text = "part,operator,trial,value\n".to_owned();
    for (operator, trials) in ["A", "B", "C"].iter().zip(values) {
        for (trial, parts) in trials.iter().enumerate() {
            for (part, value) in parts.iter().enumerate() {
                text += &format!("{},{operator},{},{value}\n", part + 1, trial + 1);
            }
        }
    }
    text
}

fn near(got: f64, wanted: f64, within: f64) {
    assert!((got - wanted).abs() <= within, "{got} is not {wanted} within {within}");
}

fn published(got: Component, std: f64, percent: f64) {
    near(got.std, std, 0.000_06);
    near(got.study_percent, percent, 0.06);
}

#[test]
fn average_and_range_gives_the_manuals_figures() {
    let study = Study::from_csv(&csv(&AIAG)).unwrap();
    let found = study.average_and_range(&Settings::default()).unwrap();
    near(found.mean_range, 0.3417, 0.000_06);
    near(found.operators_range, 0.4446, 0.000_1);
    near(found.parts_range, 3.511, 0.000_6);
    published(found.shares.repeatability, 0.20188, 17.62);
    published(found.shares.reproducibility, 0.22963, 20.04);
    published(found.shares.grr, 0.30575, 26.68);
    published(found.shares.parts, 1.10456, 96.38);
    published(found.shares.total, 1.14610, 100.0);
    assert_eq!(found.shares.ndc, 5);
}

#[test]
fn anova_gives_the_manuals_figures() {
    let study = Study::from_csv(&csv(&AIAG)).unwrap();
    let found = study.anova(&Settings::default()).unwrap();
    let rows: Vec<_> = found.table.iter().map(|row| (row.freedom, row.squares)).collect();
    let published_rows = [(9, 88.3619), (2, 3.1673), (18, 0.3590), (60, 2.7589), (89, 94.6471)];
    for ((freedom, squares), (wanted_freedom, wanted)) in rows.into_iter().zip(published_rows) {
        assert_eq!(freedom, wanted_freedom);
        near(squares, wanted, 0.000_06);
    }
    near(found.table[2].f.unwrap(), 0.434, 0.000_6);
    assert!(found.pooled && found.interaction.std == 0.0);
    published(found.shares.repeatability, 0.199_933, 18.4);
    published(found.shares.reproducibility, 0.226_838, 20.9);
    published(found.shares.grr, 0.302_373, 27.9);
    published(found.shares.parts, 1.042_327, 96.0);
    assert_eq!(found.shares.ndc, 4);
    assert_eq!(found.shares.fitness(), Fitness::Marginal);
    let (low, high) = found.grr_interval;
    assert!(low < found.shares.grr.std && found.shares.grr.std < high, "{low} {high}");
}

#[test]
fn an_interaction_that_is_there_is_kept_apart() {
    let mut values = AIAG;
    // Operator C reads even parts high and odd parts low.
    for trial in &mut values[2] {
        for (part, value) in trial.iter_mut().enumerate() {
            *value += if part % 2 == 0 { 0.5 } else { -0.5 };
        }
    }
    let found = Study::from_csv(&csv(&values)).unwrap().anova(&Settings::default()).unwrap();
    assert!(!found.pooled);
    assert!(found.interaction.std > 0.2, "{found:?}");
    // Repeatability is what it was without pooling: sqrt(2.7589 / 60).
    near(found.shares.repeatability.std, 0.214_43, 0.000_1);
}

#[test]
fn the_tolerance_decides_where_it_is_known() {
    let study = Study::from_csv(&csv(&AIAG)).unwrap();
    let settings = Settings { tolerance: Some(20.0), ..Settings::default() };
    let shares = study.anova(&settings).unwrap().shares;
    near(shares.grr.tolerance_percent.unwrap(), 6.0 * 0.302_373 / 20.0 * 100.0, 0.01);
    assert_eq!(shares.fitness(), Fitness::Good);
    let settings = Settings { tolerance: Some(0.0), ..settings };
    assert_eq!(study.anova(&settings), Err(StudyRefused::Tolerance { got: 0.0 }));
}

#[test]
fn one_operator_is_a_station_that_measures_by_itself() {
    let text: String = csv(&AIAG)
        .lines()
        .filter(|l| !l.contains(",B,") && !l.contains(",C,"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    let study = Study::from_csv(&text).unwrap();
    let found = study.anova(&Settings::default()).unwrap();
    assert_eq!(found.shares.reproducibility.std, 0.0);
    assert!(found.shares.repeatability.std > 0.05);
    assert!(matches!(
        study.average_and_range(&Settings::default()),
        Err(StudyRefused::TooSmall { what: "operators", .. })
    ));
}

#[test]
fn what_is_wrong_with_the_text_is_named() {
    let read = |text: &str| Study::from_csv(text).unwrap_err();
    assert!(matches!(read(""), StudyRefused::Heading { line: 1, .. }));
    let head = "part,operator,trial,value\n";
    assert_eq!(read(&format!("{head}1,A,1\n")), StudyRefused::Cells { line: 2, got: 3 });
    let comma = read(&format!("{head}# by hand\n\n1,A,1,0.3 mm\n"));
    assert_eq!(comma, StudyRefused::Number { line: 4, got: "0.3 mm".to_owned() });
    let empty = read(&format!("{head}1,,1,0.3\n"));
    assert_eq!(empty, StudyRefused::Empty { line: 2, column: "operator" });
    let twice = read(&format!("{head}1,A,1,0.3\n1,A,1,0.4\n"));
    assert!(matches!(twice, StudyRefused::Twice { line: 3, before: 2, .. }), "{twice}");
    let missing = csv(&AIAG).replace("7,B,2,0.55\n", "");
    assert_eq!(
        read(&missing).to_string(),
        "unbalanced: part 7 by operator B has 2 trials, others have 3: measure what is missing"
    );
}

#[test]
fn a_type_1_study_follows_its_convention() {
    // 25 times 10.00 and 25 times 10.02: mean 10.01, s = 0.01 · sqrt(50 / 49).
    let values: Vec<f64> = (0..50).map(|i| if i % 2 == 0 { 10.0 } else { 10.02 }).collect();
    let s = 0.01 * (50.0_f64 / 49.0).sqrt();
    let found = type1(&values, 10.005, 1.0, Type1Convention::default()).unwrap();
    near(found.std, s, 1e-9);
    near(found.cg, 0.2 / (6.0 * s), 1e-6);
    near(found.cgk, (0.1 - 0.005) / (3.0 * s), 1e-6);
    assert!(found.bias_p < 0.01, "{found:?}");
    let older = Type1Convention { sigmas: 4.0, ..Type1Convention::default() };
    near(type1(&values, 10.005, 1.0, older).unwrap().cg, 0.2 / (4.0 * s), 1e-6);
}

#[test]
fn a_type_1_study_that_says_nothing_is_refused() {
    let convention = Type1Convention::default();
    let few = type1(&[1.0; 10], 1.0, 1.0, convention);
    assert_eq!(few, Err(TooFewValues::Count { got: 10, needed: 25 }));
    let equal = type1(&[1.0; 30], 1.0, 1.0, convention);
    assert_eq!(equal, Err(TooFewValues::AllEqual { count: 30, value: 1.0 }));
    assert!(matches!(
        type1(&[1.0; 30], 1.0, -1.0, convention),
        Err(TooFewValues::Limits { what: "the tolerance", .. })
    ));
}

#[test]
fn capability_of_a_shifted_process_is_that_of_its_nearer_limit() {
    let values: Vec<f64> = (0..60).map(|i| [9.9, 10.1, 10.0][i % 3]).collect();
    let found = capability(&values, Some(9.0), Some(10.6)).unwrap();
    near(found.pp.unwrap(), 1.6 / (6.0 * found.std_overall), 1e-9);
    near(found.ppk, (10.6 - found.mean) / (3.0 * found.std_overall), 1e-9);
    // Ranges of 0.2, 0.1, 0.1 in turn.
    near(found.std_within, 0.134 / 1.128, 0.001);
    let one_sided = capability(&values, None, Some(10.6)).unwrap();
    assert_eq!((one_sided.cp, one_sided.ppk), (None, found.ppk));
    assert_eq!(capability(&values, None, None), Err(TooFewValues::NoLimit));
    assert!(matches!(capability(&values, Some(2.0), Some(1.0)), Err(TooFewValues::Limits { .. })));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "(part,operator,trial,value\n)?([a-c0-9,.#\\-\n]{0,200})",
    ) {
        if let Ok(study) = Study::from_csv(&text) {
            let _ = study.anova(&Settings::default());
            let _ = study.average_and_range(&Settings::default());
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(seed in any::<u64>()) {
        let text = csv(&AIAG);
        let mut rows: Vec<&str> = text.lines().skip(1).collect();
        let turn = usize::try_from(seed % 90).unwrap();
        rows.rotate_left(turn);
        rows.reverse();
        let turned = format!("part,operator,trial,value\n{}", rows.join("\n"));
        let grr = |text: &str| {
            Study::from_csv(text).unwrap().anova(&Settings::default()).unwrap().shares.grr.std
        };
        prop_assert!((grr(&text) - grr(&turned)).abs() < 1e-12);
    }
}
