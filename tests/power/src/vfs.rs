//! The shim itself: a file system for `SQLite` that does everything with the
//! ordinary one and notes what changes.
#![allow(unsafe_code, reason = "SQLite calls its file system through C function pointers")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Once};

use libsqlite3_sys as ffi;

use crate::trace::{Change, Recorder};

/// Makes the shim the file system of every connection that is opened later.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: `sqlite3_vfs_find` initializes SQLite and answers a file system
        // that lives as long as the process, as the leaked copy does.
        unsafe {
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!real.is_null(), "SQLite has a file system for this system");
            let mut shim = *real;
            shim.zName = c"botyard-power".as_ptr();
            shim.pNext = std::ptr::null_mut();
            shim.pAppData = real.cast();
            shim.szOsFile += c_int::try_from(size_of::<File>()).expect("it is small");
            shim.xOpen = Some(open);
            shim.xDelete = Some(delete);
            // The other functions of the unix file system do not look at which
            // file system they are called for.
            let result = ffi::sqlite3_vfs_register(Box::leak(Box::new(shim)), 1);
            assert_eq!(result, ffi::SQLITE_OK, "the shim is registered");
        }
    });
}

/// An open file, as `SQLite` sees it. The ordinary file lies right behind it.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// Null where nobody watches.
    watched: *mut Watched,
}

struct Watched {
    recorder: Arc<Recorder>,
    name: String,
    /// The ordinary file system flushes the directory with the first flush of a
    /// journal that it may have made.
    flushes_names: bool,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// What is only handed on.
macro_rules! forward {
    ($($name:ident is $method:ident($($argument:ident: $type:ty),*) $(-> $out:ty)?;)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $argument: $type)*) $(-> $out)? {
            // SAFETY: SQLite calls this for files that `open` has opened.
            unsafe {
                let file = real_file(file);
                let method = (*(*file).pMethods).$method.expect("the unix file system has it");
                method(file $(, $argument)*)
            }
        }
    )*};
}

forward! {
    read is xRead(to: *mut c_void, amount: c_int, offset: i64) -> c_int;
    file_size is xFileSize(size: *mut i64) -> c_int;
    lock is xLock(level: c_int) -> c_int;
    unlock is xUnlock(level: c_int) -> c_int;
    check_reserved_lock is xCheckReservedLock(out: *mut c_int) -> c_int;
    file_control is xFileControl(what: c_int, argument: *mut c_void) -> c_int;
    sector_size is xSectorSize() -> c_int;
    device_characteristics is xDeviceCharacteristics() -> c_int;
    shm_map is xShmMap(page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void) -> c_int;
    shm_lock is xShmLock(offset: c_int, n: c_int, flags: c_int) -> c_int;
    shm_barrier is xShmBarrier();
    shm_unmap is xShmUnmap(delete: c_int) -> c_int;
    fetch is xFetch(offset: i64, amount: c_int, to: *mut *mut c_void) -> c_int;
    unfetch is xUnfetch(offset: i64, page: *mut c_void) -> c_int;
    real_close is xClose() -> c_int;
    real_write is xWrite(from: *const c_void, amount: c_int, offset: i64) -> c_int;
    real_truncate is xTruncate(size: i64) -> c_int;
    real_sync is xSync(flags: c_int) -> c_int;
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over room of the size that `install` has asked for,
    // and a name that ends in 0 or none.
    unsafe {
        let real = real_vfs(vfs);
        let watched = path(name).and_then(Recorder::of);
        let is_new = path(name).is_some_and(|path| !path.exists());
        let open = (*real).xOpen.expect("every file system opens files");
        let result = open(real, name, real_file(file), flags, out);
        let opened = !(*real_file(file)).pMethods.is_null();
        let file = file.cast::<File>();
        (*file).base.pMethods = if opened { &raw const METHODS } else { std::ptr::null() };
        (*file).watched = std::ptr::null_mut();
        if let Some((recorder, name)) = watched.filter(|_| result == ffi::SQLITE_OK) {
            let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
            let flushes_names = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journals != 0;
            if is_new {
                recorder.change(Change::Create(name.clone()), || ffi::SQLITE_OK);
            }
            (*file).watched = Box::into_raw(Box::new(Watched { recorder, name, flushes_names }));
        }
        result
    }
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: as for `open`.
    unsafe {
        let real = real_vfs(vfs);
        let delete = (*real).xDelete.expect("every file system deletes files");
        let delete = || delete(real, name, sync_directory);
        match path(name).and_then(Recorder::of) {
            Some((recorder, file)) => {
                recorder.change(Change::Delete { file, names: sync_directory != 0 }, delete)
            }
            None => delete(),
        }
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the value came from `Box::into_raw` in `open`, and SQLite closes once.
    unsafe {
        let watched = (*file.cast::<File>()).watched;
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        real_close(file)
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite hands over so many bytes; a file is used by one thread at a time.
    unsafe {
        let Some(watched) = watched(file) else { return real_write(file, from, amount, offset) };
        let fault = watched.recorder.write_fault(&watched.name);
        let amount = if fault.is_some() { amount / 2 } else { amount };
        let length = usize::try_from(amount).expect("it is not negative");
        let change = Change::Write {
            file: watched.name.clone(),
            offset: u64::try_from(offset).expect("it is not negative"),
            bytes: std::slice::from_raw_parts(from.cast::<u8>(), length).to_vec(),
        };
        let recorder = &watched.recorder;
        let result = recorder.change(change, || real_write(file, from, amount, offset));
        fault.unwrap_or(result)
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: as for `write`.
    unsafe {
        let Some(watched) = watched(file) else { return real_truncate(file, size) };
        let bytes = u64::try_from(size).expect("it is not negative");
        let change = Change::Truncate { file: watched.name.clone(), size: bytes };
        watched.recorder.change(change, || real_truncate(file, size))
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as for `write`.
    unsafe {
        let Some(watched) = watched(file) else { return real_sync(file, flags) };
        if let Some(code) = watched.recorder.sync_fault(&watched.name) {
            return code;
        }
        let began = watched.recorder.position();
        let result = real_sync(file, flags);
        if result == ffi::SQLITE_OK {
            let names = std::mem::take(&mut watched.flushes_names);
            watched.recorder.synced(&watched.name, began, names);
        }
        result
    }
}

/// The ordinary file system behind the shim.
unsafe fn real_vfs(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: `install` has put it there.
    unsafe { (*vfs).pAppData.cast() }
}

/// The ordinary file behind one of ours.
unsafe fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `install` has asked for room for both, one after the other.
    unsafe { file.cast::<File>().add(1).cast() }
}

unsafe fn watched<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Watched> {
    // SAFETY: it is null or lives until `close`.
    unsafe { (*file.cast::<File>()).watched.as_mut() }
}

unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite's names end in 0.
    let name = unsafe { CStr::from_ptr(name) };
    Some(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())))
}
