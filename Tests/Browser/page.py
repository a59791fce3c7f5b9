"""What somebody does with the page, and what it must show."""

import json
import shutil
import unittest

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from server import BACKENDS, ROOT, Server, identity

PROGRAM = ""
SCREENSHOTS = None
PICTURE = ROOT / ".deps" / "images" / "bus.jpg"
GRAPH = ROOT / ".deps" / "models" / "pedestrian_ssdlite" / "frozen_inference_graph.pb"
EXAMPLES = ROOT / "Examples" / "people_detection"
HOSTILE = "<img src=x onerror=alert(1)>"

SLOW = identity(
    ["FP32"], dims="4",
    lines='dynamic_batching { }\nparameters { key: "execute_delay_ms" value { string_value: "300" } }',
)  # fmt: skip
TEXTS = identity(["STRING"], dims="1", max_batch_size=0)


def browser(width=1200, height=1000, *arguments):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--window-size={width},{height}",
        *arguments,
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


class PageTest(unittest.TestCase):
    """A server and a browser for each class of tests."""

    models = {}
    flags = ()
    files = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(PROGRAM, cls.models, *cls.flags)
        cls.server.files = cls.files
        cls.enterClassContext(cls.server)
        cls.browser = browser()
        cls.addClassCleanup(cls.browser.quit)
        cls.browser.set_page_load_timeout(60)

    def open(self, fragment=""):
        self.browser.get("about:blank")
        self.browser.get(f"http://localhost:{self.server.http_port}/{fragment}")

    def wait(self, condition, what):
        return WebDriverWait(self.browser, 60, poll_frequency=0.1).until(lambda _: condition(), what)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)", selector
        )

    def wait_for_text(self, selector, text):
        self.wait(lambda: any(text in each for each in self.texts(selector)), f"no '{text}' in {selector}")

    def set_count(self, count):
        """Moves the slider as the keyboard does."""
        slider = self.find("#count")
        slider.send_keys(Keys.HOME)
        for _ in range(count - 1):
            slider.send_keys(Keys.ARROW_RIGHT)
        self.assertEqual(self.find("#many").text, str(count))

    def picture(self, name):
        if SCREENSHOTS:
            self.browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))

    def check_console(self, *allowed):
        """No script failed, and the browser refused nothing."""
        lines = [line["message"] for line in self.browser.get_log("browser") if line["level"] == "SEVERE"]
        self.assertEqual([line for line in lines if not any(word in line for word in allowed)], [])


class Models(PageTest):
    models = {"slow": SLOW, "texts": TEXTS, "broken": "max_batch_size: x"}
    flags = ("--exit-on-error=false", "--strict-readiness=false")

    def test_overview(self):
        self.open()
        self.wait_for_text("#models td", "slow")
        self.wait_for_text("#connection", "live")
        self.wait_for_text("#models tr[data-key*=slow] td", "0 of 1")
        self.wait_for_text("#models tr", "max_batch_size")
        self.assertIn("failed", self.find("#models tr[data-key*=broken] .state").get_attribute("class"))
        self.picture("overview")
        self.check_console()

    def test_six_requests_make_a_batch_of_one_and_one_of_five(self):
        self.open("#/slow/1")
        self.wait_for_text("#inputs legend", "INPUT0")
        Select(self.find("#span")).select_by_value("1")
        self.set_count(6)
        self.find("#send").click()
        self.wait_for_text("#outcome", "6 answers")
        sizes = lambda: [int(size) for size in self.texts("#batches tbody td:nth-child(3)")]  # noqa: E731
        self.wait(lambda: sum(sizes()) == 6, "not all six are shown")
        # Six may come before an instance is awake, on a busy machine; on another they are one and five.
        self.assertLessEqual(len(sizes()), 3)
        self.assertIn("all that waited", self.texts("#batches tbody td:nth-child(6)")[0])
        self.assertIn("OUTPUT0 FP32 [1, 4]", self.find("#answer").text)
        self.wait_for_text("#lanes-text", str(sizes()[0]))
        # What is drawn is there: bars have their colour.
        painted = self.browser.execute_script(
            "const c = document.getElementById('lanes'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n;"
        )
        self.assertGreater(painted, 1000)
        self.picture("model")
        self.check_console()

    def test_the_keyboard_does_it_all(self):
        self.open()
        self.wait_for_text("#models td", "slow")
        body = self.find("body")
        body.send_keys(Keys.TAB)
        self.assertEqual(self.browser.switch_to.active_element.get_attribute("class"), "skip")
        for _ in range(12):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            if self.browser.switch_to.active_element.text == "slow":
                break
        self.assertEqual(self.browser.switch_to.active_element.text, "slow")
        # Figures come meanwhile, and the focus stays.
        rate = self.texts("#connection")
        self.wait(lambda: self.texts("#connection") == rate, "")
        self.browser.switch_to.active_element.send_keys(Keys.ENTER)
        self.wait_for_text("#model-title", "slow, version 1")
        self.wait_for_text("#inputs legend", "INPUT0")
        self.assertEqual(self.browser.switch_to.active_element.get_attribute("id"), "main")
        reached = set()
        for _ in range(20):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            reached.add(self.browser.switch_to.active_element.get_attribute("id"))
        self.assertLessEqual({"span", "hold", "count", "send"}, reached)

    def test_wrong_values_are_named(self):
        self.open("#/slow/1")
        self.wait_for_text("#inputs legend", "INPUT0")
        area = self.find("#inputs textarea")
        area.clear()
        area.send_keys("1, x, 3, 4")
        self.find("#send").click()
        self.wait_for_text("#outcome", 'INPUT0: "x" is no number')
        area.clear()
        area.send_keys("1, 2")
        self.find("#send").click()
        self.wait_for_text("#outcome", "the shape has 4 values, 2 were given")

    def test_what_models_answer_is_text(self):
        self.open("#/texts/1")
        self.wait_for_text("#inputs legend", "INPUT0")
        area = self.find("#inputs textarea")
        area.clear()
        area.send_keys(HOSTILE)
        self.find("#send").click()
        self.wait_for_text("#answer", HOSTILE)
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, "main img"), [])
        # A model that is not there, and has a name of that kind.
        self.open("#/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E/1")
        self.wait_for_text("#model-title", HOSTILE)
        self.wait_for_text("#outcome", "unknown model")
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, "main img"), [])

    def test_nothing_but_the_page_s_own_files_runs(self):
        self.open()
        self.wait_for_text("#models td", "slow")
        refused = self.browser.execute_async_script(
            """
            const done = arguments[0];
            const seen = [];
            document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "window.intruder = true";
            document.body.append(script);
            const picture = new Image();
            picture.onerror = () => setTimeout(() => done([window.intruder ?? false, seen]), 0);
            picture.src = "http://example.invalid/x.png";
            """
        )
        self.assertFalse(refused[0])
        self.assertLessEqual({"script-src-elem", "img-src"}, set(refused[1]))
        sources = self.browser.execute_script(
            "return performance.getEntriesByType('resource').map((each) => each.name)"
        )
        self.assertEqual([each for each in sources if not each.startswith(f"http://localhost:{self.server.http_port}/")], ["http://example.invalid/x.png"] if any("invalid" in each for each in sources) else [])
        self.browser.get_log("browser")

    def test_it_rests_while_nobody_looks(self):
        self.open()
        self.wait_for_text("#connection", "live")
        hide = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => %s });"
        self.browser.execute_script(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'));")
        self.wait_for_text("#connection", "at rest")
        self.browser.execute_script(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'));")
        self.wait_for_text("#connection", "live")

    def test_a_phone(self):
        self.browser.set_window_size(500, 900)
        # Chromium's window has a least width; the view within it has none.
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 780, "deviceScaleFactor": 2, "mobile": True}
        )
        try:
            for fragment, selector, text in [("", "#models td", "slow"), ("#/slow/1", "#inputs legend", "INPUT0")]:
                self.open(fragment)
                self.wait_for_text(selector, text)
                widths = self.browser.execute_script(
                    "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
                )
                self.assertLessEqual(widths[0], widths[1], fragment)
                self.picture("phone" + ("-model" if fragment else ""))
        finally:
            self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            self.browser.set_window_size(1200, 1000)

    def test_light_and_dark(self):
        colors = {}
        for scheme in ("light", "dark"):
            self.browser.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            )
            self.open()
            self.wait_for_text("#models td", "slow")
            colors[scheme] = self.browser.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
            if scheme == "dark":
                self.open("#/slow/1")
                self.wait_for_text("#inputs legend", "INPUT0")
                self.picture("dark")
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        self.assertNotEqual(colors["light"], colors["dark"])


@unittest.skipUnless(GRAPH.is_file() and PICTURE.is_file() and BACKENDS.is_dir(), "the demo's model or picture is not there")
class Pictures(PageTest):
    models = {
        "pedestrian_ssdlite": EXAMPLES / "model_repository_3" / "pedestrian_ssdlite",
        **{path.name: path for path in sorted((EXAMPLES / "ensemble").iterdir()) if path.is_dir()},
    }

    def test_a_picture_is_dropped_and_people_are_found(self):
        self.open("#/people/1")
        self.wait(lambda: self.find("#picture").is_displayed(), "there is no place for a picture")
        self.assertIn("pedestrian_ssdlite", self.find("#steps").text)
        # A drop, as the browser makes it of a file.
        self.browser.execute_async_script(
            """
            const done = arguments[1];
            const bytes = Uint8Array.from(atob(arguments[0]), (each) => each.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "bus.jpg", { type: "image/jpeg" }));
            const drop = document.getElementById("drop");
            for (const name of ["dragenter", "dragover", "drop"]) {
              drop.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: transfer }));
            }
            done();
            """,
            __import__("base64").b64encode(PICTURE.read_bytes()).decode(),
        )
        self.wait(lambda: self.find("#send").is_enabled(), "the picture was not taken")
        self.find("#send").click()
        self.wait_for_text("#outcome", "answered in")
        # The two in front, whom the model is sure of.
        self.assertGreaterEqual(len([each for each in self.texts("#found li") if each.startswith("object")]), 2)
        self.picture("people")
        self.check_console()

    def test_the_two_cases_of_the_example(self):
        self.open("#/pedestrian_ssdlite/1")
        self.wait(lambda: self.find("#picture").is_displayed(), "there is no place for a picture")
        self.find("#file").send_keys(str(PICTURE))
        self.wait(lambda: self.find("#send").is_enabled(), "the picture was not taken")
        self.set_count(6)
        self.find("#send").click()
        self.wait_for_text("#outcome", "6 answers")
        self.wait(lambda: len(self.texts("#batches tbody tr")) >= 1, "no batches")
        self.wait(
            lambda: sum(int(size) for size in self.texts("#batches tbody td:nth-child(3)")) >= 6, "not all six are shown"
        )
        self.assertGreaterEqual(len(self.texts("#found li")), 1)
        self.picture("detector")
        self.check_console()

    def test_the_camera_s_frame(self):
        self.open("#/people/1")
        self.wait(lambda: self.find("#picture").is_displayed(), "there is no place for a picture")
        self.find("#camera").click()
        self.wait(lambda: self.find("#shot").is_displayed(), "the camera does not start")
        self.find("#shot").click()
        self.wait(lambda: self.find("#send").is_enabled(), "the frame was not taken")
        self.find("#send").click()
        self.wait_for_text("#outcome", "answered in")
        self.check_console()

    def test_what_is_no_picture_is_named(self):
        self.open("#/people/1")
        self.wait(lambda: self.find("#picture").is_displayed(), "there is no place for a picture")
        self.find("#file").send_keys(str(ROOT / "Package.swift"))
        self.wait_for_text("#outcome", '"Package.swift" is no picture')
        self.assertFalse(self.find("#send").is_enabled())


class Keys_(PageTest):
    models = {"slow": SLOW}
    flags = ("--http-restricted-api=statistics,inference:admin-key=secret",)

    def test_restricted_parts_ask_for_their_key(self):
        self.open("#/slow/1")
        self.wait(lambda: self.find("#key").is_displayed(), "no key is asked for")
        self.assertIn("admin-key", self.find("#notice").text)
        self.assertEqual(self.server.get("/page/events")[0], 403)
        self.assertEqual(self.server.request("POST", "/page/models/slow/versions/1/infer", b"{}")[0], 403)
        self.picture("key")
        self.find("#key input[name=header]").send_keys("admin-key")
        self.find("#key input[name=value]").send_keys("secret")
        self.find("#key button").click()
        self.wait_for_text("#connection", "live")
        self.find("#send").click()
        self.wait_for_text("#outcome", "answered in")


class Ending(unittest.TestCase):
    def test_a_server_that_goes_is_said_to_have_gone(self):
        with Server(PROGRAM, {"slow": SLOW}) as server:
            driver = browser()
            self.addCleanup(driver.quit)
            driver.get(f"http://localhost:{server.http_port}/")
            said = lambda: driver.find_element(By.ID, "connection").text  # noqa: E731
            WebDriverWait(driver, 60).until(lambda _: said() == "live")
        # It did not wait for the page, and ended well.
        WebDriverWait(driver, 60).until(lambda _: said() in ("the server does not answer", "the server has ended the connection"))
        self.assertNotIn("alert", json.dumps([line["message"] for line in driver.get_log("browser")]))
