"""Makes a model ready for this machine: `convert_model.py JOB.json`.

The job is one JSON object (see job.py). What happens is told line by line on the standard output (see reporting.py);
the last line holds the result or the error. Files are written into the job's output folder only.
"""

import sys

import memory
import reporting
from reporting import ConversionError, Reporter


def main(arguments):
    reporting.claim_standard_output()
    reporting.end_with_parent()
    try:
        if len(arguments) != 1:
            raise reporting.invalid("expected one argument, the path of a job")
        memory.limit()
        reporting.write({"result": convert(arguments[0], Reporter())})
    except ConversionError as error:
        return _fail(error.code, error.message)
    except ImportError as error:
        return _fail(
            "unavailable", f"the environment of the conversion lacks what it needs: {error}; let it be set up anew"
        )
    except MemoryError:
        return _fail("unavailable", "there is not enough memory for this model")
    except OSError as error:
        return _fail("internal", f"a file of the conversion can't be read or written: {error}")
    except Exception as error:
        # The place goes to the standard error, for a report; the sentence goes to the user.
        import traceback

        traceback.print_exc()
        return _fail("internal", f"the conversion failed unexpectedly: {reporting.one_sentence(error)}")
    return 0


def _fail(code, message):
    reporting.write({"error": {"code": code, "message": message}})
    return 1


def convert(path, reporter):
    import job as jobs

    job = jobs.load(path)
    if job.target == "onnx":
        import onnx_target as target
    else:
        import openvino_target as target
    result = target.convert(job, reporter)
    result["notices"] = reporter.notices
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
