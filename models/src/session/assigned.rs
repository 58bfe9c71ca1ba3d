//! What ONNX Runtime decided: takes a graph that was made ready, gives which provider computes
//! which of its nodes. A provider that was registered may still have taken none.

use std::ffi::{CStr, c_char};
use std::{ptr, slice};

use ort::session::Session as Graph;
use ort::sys::{OrtEpAssignedNode, OrtEpAssignedSubgraph, OrtStatusPtr};
use ort::{AsPointer, Error};

use super::Complaint;

/// Nodes that one provider computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// As ONNX Runtime calls it: `CPUExecutionProvider`, …
    pub provider: String,
    /// What the nodes do: `Conv`, …
    pub operators: Vec<String>,
}

/// The nodes of `graph` by provider. A provider may be there several times.
#[expect(unsafe_code, reason = "lists that belong to ONNX Runtime, which ort does not wrap")]
pub fn of_graph(graph: &Graph) -> Result<Vec<Assigned>, Complaint> {
    let (api, session) = (ort::api(), graph.ptr());
    let parts: &[*const OrtEpAssignedSubgraph] =
        // SAFETY: the session lives while `graph` is borrowed, and the list as long as it.
        unsafe { list(|at, count| (api.Session_GetEpGraphAssignmentInfo)(session, at, count)) }?;
    let mut assigned = Vec::with_capacity(parts.len());
    for part in parts {
        // SAFETY: each of the list's entries belongs to the session, and its name too.
        let provider = unsafe { text(|name| (api.EpAssignedSubgraph_GetEpName)(*part, name)) }?;
        let nodes: &[*const OrtEpAssignedNode] =
            // SAFETY: the nodes belong to the entry.
            unsafe { list(|at, count| (api.EpAssignedSubgraph_GetNodes)(*part, at, count)) }?;
        let operators = nodes
            .iter()
            // SAFETY: the operator's name belongs to the node.
            .map(|node| unsafe { text(|name| (api.EpAssignedNode_GetOperatorType)(*node, name)) })
            .collect::<Result<_, _>>()?;
        assigned.push(Assigned { provider, operators });
    }
    Ok(assigned)
}

/// The list that `get` says the place and length of.
///
/// # Safety
/// `get` must give a list that lives for `'a`, or an error.
#[expect(unsafe_code, reason = "a list that belongs to ONNX Runtime")]
unsafe fn list<'a, T>(
    get: impl FnOnce(*mut *const *const T, *mut usize) -> OrtStatusPtr,
) -> Result<&'a [*const T], Complaint> {
    let (mut at, mut count) = (ptr::null(), 0);
    let status = get(&raw mut at, &raw mut count);
    // SAFETY: the status came from ONNX Runtime and is used once.
    unsafe { Error::result_from_status(status) }?;
    if at.is_null() || count == 0 {
        return Ok(&[]);
    }
    // SAFETY: the caller promised so many entries that live long enough.
    Ok(unsafe { slice::from_raw_parts(at, count) })
}

/// The text that `get` says the place of.
///
/// # Safety
/// `get` must give a text that ends with 0 and lives until it is copied, or an error.
#[expect(unsafe_code, reason = "a text that belongs to ONNX Runtime")]
unsafe fn text(get: impl FnOnce(*mut *const c_char) -> OrtStatusPtr) -> Result<String, Complaint> {
    let mut at = ptr::null();
    let status = get(&raw mut at);
    // SAFETY: the status came from ONNX Runtime and is used once.
    unsafe { Error::result_from_status(status) }?;
    if at.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the caller promised a text that ends.
    Ok(unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned())
}
