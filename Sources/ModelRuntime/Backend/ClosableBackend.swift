/// A backend that has something to take apart when its server stops.
package protocol ClosableBackend: Backend {
    /// It runs no models any more: what it has goes as soon as the last of them has, which is waited for where that is
    /// just happening.
    func close()
}
