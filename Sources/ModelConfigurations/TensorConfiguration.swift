public import Tensors

/// An input or an output as a configuration describes it.
public struct TensorConfiguration: Hashable, Sendable {
    /// The meaning of an image input's dimensions (`format`).
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// No picture.
        case none = "FORMAT_NONE"
        /// Height, width, channels.
        case nhwc = "FORMAT_NHWC"
        /// Channels, height, width.
        case nchw = "FORMAT_NCHW"
    }

    /// The name, as the model and clients have it.
    public var name: String
    /// The elements' type.
    public var elementType: ElementType
    /// The dimensions without the batch; −1 is any size.
    public var dimensions: TensorShape
    /// Which dimension of a picture is which; ``Format/none`` for other tensors.
    public var format: Format
    /// The file, beside `config.pbtxt`, with a label a line; empty for none. Outputs only.
    public var labelFilename: String
    /// The dimensions that the model itself has, without the batch; `nil` where they are those that clients see.
    public var reshape: TensorShape?
    /// Whether a request may leave it out. Inputs only.
    public var isOptional = false
    /// Whether requests may share a batch although this input has different shapes in them: the model then gets the
    /// elements of all in one dimension. Inputs only.
    public var allowsRaggedBatch = false

    /// An input or output that clients must give, or get, with these dimensions.
    public init(
        name: String, elementType: ElementType, dimensions: TensorShape, format: Format = .none,
        labelFilename: String = ""
    ) {
        self.name = name
        self.elementType = elementType
        self.dimensions = dimensions
        self.format = format
        self.labelFilename = labelFilename
    }

    /// The dimensions that the model itself has, without the batch.
    public var modelDimensions: TensorShape { reshape ?? dimensions }

    /// The complete shape in a request: with a batch dimension of any size in front where the model batches.
    public func completeShape(maxBatchSize: Int) -> TensorShape {
        maxBatchSize > 0 ? dimensions.prepending(TensorShape.variable) : dimensions
    }
}
