package import ModelRuntime

/// The backends that work on pictures: the first and the last step of a detector's ensemble.
package enum VisionBackends {
    package static var all: [any Backend] { [ImagePreprocessingBackend(), DetectionBoxesBackend()] }
}
