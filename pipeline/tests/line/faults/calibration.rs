//! A camera that is not any more as it was calibrated: its lamp fails, its lens loosens, it is
//! pushed aside. Each goes until the line notices, and then back until the line notices that.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calibration::profile::CameraNote;
use calibration::watch::{BaselineStudy, Landmark, Limits, Watch};
use calibration::{Calibration, Picture, Plane, Profile, Px};
use domain::LineState::Running;
use domain::{CameraId, OwnedPixels, PixelFormat, Pixels, RectPx, SizePx, Verdict};
use sightline_pipeline::clock::Clock;
use sightline_pipeline::line::{Against, Watcher};
use sightline_pipeline::prepare::{Calibrated, Calibrations, Still};

use super::table::Seen;
use super::{AMPLE_MS, Bench, Setup, Shot, recipe};

const SIZE: SizePx = SizePx::new(256, 192);
/// A fiducial that does not move with the belt.
const MARK: RectPx = RectPx::new(24, 24, 48, 48);
/// Pictures after which the belt's texture comes again.
const PHASES: usize = 16;
/// Between two pictures, so that who looks at them, which comes last on a machine, comes to it.
const PAUSE: Duration = Duration::from_millis(5);
/// More than all of it takes where everything else comes first.
const MOST: Duration = Duration::from_secs(600);

/// How the camera sees.
#[derive(Clone, Copy)]
struct Eye {
    light_percent: u64,
    /// Half the edge of the square that a point is smeared over.
    blur_px: u64,
    aside_px: u64,
}

const AS_CALIBRATED: Eye = Eye { light_percent: 100, blur_px: 0, aside_px: 0 };

pub fn lamp_fails() -> Seen {
    lost_and_back(Eye { light_percent: 70, ..AS_CALIBRATED })
}

pub fn lens_loosens() -> Seen {
    lost_and_back(Eye { blur_px: 2, ..AS_CALIBRATED })
}

pub fn camera_moves() -> Seen {
    lost_and_back(Eye { aside_px: 6, ..AS_CALIBRATED })
}

fn lost_and_back(changed: Eye) -> Seen {
    let plc = DumbPlc::start();
    let bench = start(&plc);
    let (good, changed) = (pictures(AS_CALIBRATED), pictures(changed));
    let mut shots = 0;
    let mut shoot = |pictures: &Pictures| {
        bench.shots.send(Shot::Picture(pictures[shots % PHASES].clone())).unwrap();
        shots += 1;
        bench.answers(shots)[shots - 1].verdict.clone()
    };
    assert_eq!(shoot(&good), Verdict::Pass);
    bench.until(Running);
    let mut until = |pictures: &Pictures, event: &str| {
        let start = bench.clock.now();
        while !bench.line.events().contains_key(event) {
            assert!(bench.clock.now().since(start) < MOST, "{event} never came");
            shoot(pictures);
            bench.let_pass(PAUSE);
        }
        shoot(pictures)
    };
    let undecided = until(&changed, "calibration_lost");
    assert!(matches!(undecided, Verdict::Undecided { .. }), "{undecided:?}");
    plc.until_reason(405, &bench);
    assert_eq!(until(&good, "calibration_holds"), Verdict::Pass);
    plc.until_reason(0, &bench);
    assert_eq!(bench.line.events()["calibration_lost"], 1, "told once");
    Seen::at_end_of(bench)
}

/// A line whose camera is calibrated and watched, and which writes into `plc`.
fn start(plc: &DumbPlc) -> Bench {
    let config = format!(
        "kind='modbus_tcp'\nrole='client'\naddress='{}'\ntimeout_ms=5000\npoll_ms=0",
        plc.address
    );
    let setup = Setup::new(recipe("one", AMPLE_MS));
    let plc = Some(toml::from_str(&config).unwrap());
    Setup { plc, calibrated: calibrated(), ..setup }.start()
}

fn calibrated() -> (Calibrations, Option<Watcher>) {
    let mut profile = Profile::new(SIZE, CameraNote::default(), jiff::Timestamp::UNIX_EPOCH);
    let ruler = Plane::from_ruler(Px::new(0.0, 0.0), Px::new(200.0, 0.0), 50.0, 0.1);
    profile.plane = Some(ruler.unwrap());
    // It has no maps to be read from there.
    let calibration = Calibration::open(&profile, "/nowhere".as_ref()).unwrap();
    let mut study = BaselineStudy::new(SIZE, Some(Landmark::Patch(MARK))).unwrap();
    for number in 0..60 {
        let luma = luma(number, AS_CALIBRATED);
        study.see(&Picture::new(SIZE, SIZE.width as usize, &luma).unwrap()).unwrap();
    }
    let watch = Some(Watch::new(study.finish().unwrap(), Limits::default()));
    let (camera, still) = (CameraId::new("top"), Arc::<Still>::default());
    let calibration = Some(Arc::new(calibration));
    let its = Calibrated { calibration, still: Arc::clone(&still) };
    let calibrations = Calibrations::new(BTreeMap::from([(camera.clone(), its)]), None).unwrap();
    let (against, every) = (Some(Against { profile, watch }), Duration::from_millis(1));
    let (_, renewed) = channel();
    (calibrations, Some(Watcher { camera, against, renewed, still, every }))
}

type Pictures = [Arc<dyn Pixels>; PHASES];

fn pictures(eye: Eye) -> Pictures {
    std::array::from_fn(|number| {
        let rgb = luma(number, eye).iter().flat_map(|grey| [*grey; 3]).collect();
        Arc::new(OwnedPixels::new(PixelFormat::Rgb8, SIZE, vec![rgb]).unwrap()) as Arc<dyn Pixels>
    })
}

/// A belt with texture that has moved on by `number`, and a mark beside it that has not.
fn luma(number: usize, eye: Eye) -> Vec<u8> {
    let number = u64::try_from(number).unwrap();
    let (width, height) = (u64::from(SIZE.width), u64::from(SIZE.height));
    let sharp = |x: u64, y: u64| {
        let (x, y) = (x.min(width - 1).saturating_sub(eye.aside_px), y.min(height - 1));
        let on_mark = |at: u64| (24..72).contains(&at);
        let grey = if on_mark(x) && on_mark(y) {
            let (u, v) = (x.abs_diff(47), y.abs_diff(47));
            let is_ring = u * u + v * v < 18 * 18 && u > 3 && v > 3;
            if is_ring { 150 } else { 45 }
        } else {
            let x = (x + 7 * number) % 112;
            let mixed = (x * 2_654_435_761) ^ ((y / 3) * 40_503) ^ ((x / 5) * 9_176_263);
            90 + ((mixed >> 7) & 63)
        };
        grey * eye.light_percent / 100
    };
    let blur = eye.blur_px;
    let smeared = |x: u64, y: u64| {
        let around = (y..=y + 2 * blur).flat_map(|v| (x..=x + 2 * blur).map(move |u| (u, v)));
        let sum: u64 =
            around.map(|(u, v)| sharp(u.saturating_sub(blur), v.saturating_sub(blur))).sum();
        u8::try_from(sum / (2 * blur + 1).pow(2)).unwrap()
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| smeared(x, y)).collect()
}

/// A PLC that takes what is written into its registers.
struct DumbPlc {
    address: String,
    words: Arc<Mutex<BTreeMap<u16, u16>>>,
}

/// Where the reason of the part answered last stands (docs/plc.md).
const LAST_REASON: u16 = 39;

impl DumbPlc {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let words = Arc::<Mutex<BTreeMap<u16, u16>>>::default();
        let its = Arc::clone(&words);
        let serve = move || {
            for stream in listener.incoming() {
                // The station hangs up when its line ends.
                let _ = serve(stream.unwrap(), &its);
            }
        };
        std::thread::Builder::new().name("dumb-plc".to_owned()).spawn(serve).unwrap();
        Self { address, words }
    }

    fn until_reason(&self, reason: u16, bench: &Bench) {
        let is_so = || self.words.lock().unwrap().get(&LAST_REASON) == Some(&reason);
        bench.poll(&format!("reason {reason} at the PLC"), is_so);
    }
}

/// Modbus/TCP, function 16.
fn serve(mut stream: TcpStream, words: &Mutex<BTreeMap<u16, u16>>) -> std::io::Result<()> {
    let word = |bytes: &[u8], at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    loop {
        let mut head = [0; 7];
        stream.read_exact(&mut head)?;
        let mut body = vec![0; usize::from(word(&head, 4)) - 1];
        stream.read_exact(&mut body)?;
        assert_eq!(body[0], 16, "the station only writes");
        for (index, value) in (0..word(&body, 3)).zip(body[6..].chunks_exact(2)) {
            words.lock().unwrap().insert(word(&body, 1) + index, word(value, 0));
        }
        let answer = [&head[..4], &[0, 6, head[6]], &body[..5]].concat();
        stream.write_all(&answer)?;
    }
}
