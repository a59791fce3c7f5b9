/// A served version of a model, found and held: it can't be unloaded under whoever has this.
///
/// For the moment in which a request is read and handed in; who unloads the model waits until it has gone.
package struct HeldModel: ~Copyable, Sendable {
    package let model: ServedModel

    /// Takes over the hold that was put on the model under the table's lock.
    init(taking model: ServedModel) { self.model = model }

    deinit { model.release() }
}
