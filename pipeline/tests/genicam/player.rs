//! A GigE camera that is played on the loopback interface. Takes nothing; gives pictures in which
//! every byte follows from its place and from the number of the picture.

#![expect(unsafe_code, reason = "Aravis's safe crate cannot set what the camera sees")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use aravis::{FakeCamera, GvFakeCamera};
use aravis_glib::translate::ToGlibPtr;
use domain::Frame;

/// Where it answers.
pub(crate) const ADDRESS: &str = "127.0.0.1";

/// Pictures repeat after so many; prime, so that a shifted picture is another picture.
const PICTURES: usize = 251;

/// A camera that plays as long as this lives.
pub(crate) struct Player {
    camera: GvFakeCamera,
}

/// What the picture is made of. Never freed: the camera's thread may use it to its end.
struct Scene {
    camera: FakeCamera,
    pictures: AtomicUsize,
}

impl Player {
    pub(crate) fn start() -> Self {
        let camera = GvFakeCamera::new(Some(ADDRESS), Some("GV01"));
        assert!(camera.is_running(), "the port for cameras is taken");
        let seen = camera.fake_camera().unwrap();
        seen.set_trigger_frequency(1000.0);
        let scene = Scene { camera: seen.clone(), pictures: AtomicUsize::new(0) };
        let scene = Box::into_raw(Box::new(scene)).cast::<c_void>();
        // SAFETY: `fill` has the type that Aravis calls, and `scene` is never freed.
        unsafe {
            aravis_sys::arv_fake_camera_set_fill_pattern(seen.to_glib_none().0, Some(fill), scene);
        }
        Self { camera }
    }

    /// Loses so many of a thousand packets.
    pub(crate) fn lose(&self, of_thousand: u16) {
        self.camera.set_gvsp_lost_ratio(f64::from(of_thousand) / 1000.0);
    }
}

/// Paints the next picture.
unsafe extern "C" fn fill(
    buffer: *mut aravis_sys::ArvBuffer,
    scene: *mut c_void,
    _exposure_us: u32,
    _gain: u32,
    _format: aravis_sys::ArvPixelFormat,
) {
    // SAFETY: Aravis gives what it was given, and a buffer of as many bytes as the camera's
    // payload; the length that it tells of a buffer that was not received is 0.
    let (scene, bytes) = unsafe {
        let scene = &*scene.cast::<Scene>();
        let mut len = 0;
        let data = aravis_sys::arv_buffer_get_data(buffer, &raw mut len);
        (scene, std::slice::from_raw_parts_mut(data.cast::<u8>(), scene.camera.payload()))
    };
    let picture = scene.pictures.fetch_add(1, Ordering::Relaxed);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = byte_at(at, picture);
    }
}

fn byte_at(at: usize, picture: usize) -> u8 {
    u8::try_from((at * 7 + at / 1000 * 13 + picture % PICTURES) % PICTURES).unwrap()
}

/// Whether every byte of `frame` is as it was painted.
pub(crate) fn is_as_painted(frame: &Frame) -> bool {
    let plane = frame.pixels.plane(0);
    let picture = usize::from(plane.row(0)[0]);
    let painted = |y: usize| (0..plane.row_bytes).map(move |x| y * plane.row_bytes + x);
    (0..plane.rows).all(|y| {
        let row = plane.row(y).iter().copied();
        row.eq(painted(y).map(|at| byte_at(at, picture)))
    })
}
