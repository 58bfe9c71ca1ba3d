//! Which cameras there are. Takes nothing, or what a camera is called; gives what answers, or that
//! camera, opened.

use std::ffi::CString;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};

use aravis::prelude::*;
use aravis::{Aravis, DeviceInfo, GvDevice};
use aravis_glib::prelude::*;

use super::GenicamError;

/// Aravis keeps one list of devices, which only one may read at a time.
static LIBRARY: LazyLock<Mutex<Option<Aravis>>> =
    LazyLock::new(|| Mutex::new(Aravis::initialize().ok()));

/// A camera that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraFound {
    /// What to write as `camera` in the configuration.
    pub id: String,
    /// Who made it.
    pub vendor: String,
    /// What it is called there.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// Its IP address (GigE), or where it is plugged in (USB3).
    pub address: String,
    /// Whether it also let itself be opened: an address in another subnet, or missing rights on a
    /// USB device, show here.
    pub reachable: bool,
}

/// Asks every network interface and USB port, for about a second, which cameras are there, and
/// opens each for a moment.
#[must_use]
pub fn discover() -> Vec<CameraFound> {
    list()
        .iter()
        .map(|info| CameraFound {
            id: text(&info.id),
            vendor: text(&info.vendor),
            model: text(&info.model),
            serial: serial(info),
            address: text(&info.address),
            reachable: aravis::Camera::new(Some(&text(&info.id))).is_ok(),
        })
        .collect()
}

/// Opens the camera that is called `wanted`, or the first that is found; gives its id too.
pub(super) fn open(wanted: Option<&str>) -> Result<(String, aravis::Camera), GenicamError> {
    let name = match wanted {
        // An address needs no search: it is asked itself.
        Some(address) if address.parse::<IpAddr>().is_ok() => address.to_owned(),
        _ => find(wanted, &list())?,
    };
    let camera = aravis::Camera::new(Some(&name)).map_err(|error| {
        if error.kind::<aravis::DeviceError>() == Some(aravis::DeviceError::NotFound) {
            return GenicamError::NotFound {
                wanted: called(wanted),
                found: "no answer".to_owned(),
            };
        }
        GenicamError::Open { camera: name.clone(), reason: error.message().to_owned() }
    })?;
    let other = |device: &GvDevice| !device.is_controller();
    if camera.device().and_downcast_ref::<GvDevice>().is_some_and(other) {
        return Err(GenicamError::Busy { camera: name });
    }
    Ok((name, camera))
}

fn find(wanted: Option<&str>, infos: &[DeviceInfo]) -> Result<String, GenicamError> {
    let fits = |info: &&DeviceInfo| {
        wanted.is_none_or(|wanted| {
            let address = [text(&info.id), text(&info.physical_id), text(&info.address)];
            serial(info) == wanted || address.iter().any(|it| it.eq_ignore_ascii_case(wanted))
        })
    };
    infos.iter().find(fits).map(|info| text(&info.id)).ok_or_else(|| {
        let ids: Vec<_> = infos.iter().map(|info| text(&info.id)).collect();
        let found = if ids.is_empty() {
            "none is".to_owned()
        } else {
            format!("found: {}", ids.join(", "))
        };
        GenicamError::NotFound { wanted: called(wanted), found }
    })
}

fn called(wanted: Option<&str>) -> String {
    wanted.map_or_else(|| "a camera".to_owned(), |wanted| format!("camera {wanted}"))
}

/// What answers within a second. Newer versions of Aravis also list what is no camera of ours.
fn list() -> Vec<DeviceInfo> {
    let library = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    let all = library.as_ref().map(Aravis::get_device_list).unwrap_or_default();
    let ours =
        |info: &DeviceInfo| matches!(info.protocol.to_bytes(), b"GigEVision" | b"USB3Vision");
    all.into_iter().filter(ours).collect()
}

/// Ids are made of vendor, model and serial number.
fn serial(info: &DeviceInfo) -> String {
    let id = text(&info.id);
    let start = format!("{}-{}-", text(&info.vendor), text(&info.model));
    match id.strip_prefix(&start) {
        Some(serial) => serial.to_owned(),
        None => id.rsplit('-').next().unwrap_or_default().to_owned(),
    }
}

fn text(bytes: &CString) -> String {
    bytes.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(vendor: &str, model: &str, serial: &str) -> DeviceInfo {
        let c = |text: &str| CString::new(text).unwrap();
        DeviceInfo {
            id: c(&format!("{vendor}-{model}-{serial}")),
            physical_id: c("00:1A:2b:00:00:01"),
            vendor: c(vendor),
            model: c(model),
            protocol: c("GigEVision"),
            address: c("192.168.1.10"),
        }
    }

    #[test]
    fn a_camera_is_found_by_any_of_its_names() {
        let infos = [info("Acme", "C-1", "7-11"), info("Acme", "C-1", "8")];
        for name in ["Acme-C-1-7-11", "7-11", "00:1a:2B:00:00:01", "192.168.1.10"] {
            assert_eq!(find(Some(name), &infos).unwrap(), "Acme-C-1-7-11", "{name}");
        }
        assert_eq!(find(Some("8"), &infos).unwrap(), "Acme-C-1-8");
        assert_eq!(find(None, &infos).unwrap(), "Acme-C-1-7-11");
        let error = find(Some("11"), &infos).unwrap_err().to_string();
        assert!(error.contains("camera 11") && error.contains("Acme-C-1-8"), "{error}");
        assert!(find(None, &[]).unwrap_err().to_string().contains("none is"));
    }
}
