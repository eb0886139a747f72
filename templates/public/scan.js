// The scan page: camera or picture in, one judged code out. Pictures never leave the device.
(function () {
  var page = JSON.parse(document.getElementById('page').textContent);
  var video = document.getElementById('video');
  var state = document.getElementById('scan-state');
  var frame = document.getElementById('frame');
  var openButton = document.getElementById('open');
  var torchButton = document.getElementById('torch');
  var picture = document.getElementById('picture');
  var refusal = document.getElementById('refusal');
  var canvas = document.createElement('canvas');
  var pen = canvas.getContext('2d', { willReadFrequently: true });
  var worker = null, waiting = {}, asked = 0, stream = null, native = null, turn = 0;
  document.documentElement.classList.add('js');

  function say(code) {
    var words = page.words[code];
    state.setAttribute('data-state', code);
    state.querySelector('.zh').textContent = words.zh;
    state.querySelector('.en').textContent = words.en;
  }

  function start() {
    if (worker) return;
    worker = new Worker('/scan/reader.js', { type: 'module' });
    worker.onmessage = function (event) {
      if (event.data.ready) {
        document.documentElement.setAttribute('data-decoders', event.data.ready.join(' '));
        return;
      }
      waiting[event.data.id](event.data.texts);
      delete waiting[event.data.id];
    };
    // A browser too old for the decoders: only this page is missing, not the check.
    worker.onerror = function () {
      worker = null;
      close();
      say('no-decoder');
    };
  }

  function ask(width, height, thorough) {
    var pixels = pen.getImageData(0, 0, width, height).data.buffer;
    return new Promise(function (resolve) {
      waiting[++asked] = resolve;
      worker.postMessage({ id: asked, width: width, height: height, pixels: pixels, thorough: thorough, turn: turn++ }, [pixels]);
    });
  }

  // The phone's own reader, where it has one, looks first; what it cannot read goes to ours.
  function read(source, width, height, most, thorough) {
    var scale = Math.min(1, most / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
    var first = native ? native.detect(canvas).then(null, function () { return []; }) : Promise.resolve([]);
    return first.then(function (found) {
      var texts = found.map(function (one) { return one.rawValue; }).filter(Boolean);
      return texts.length || !worker ? texts : ask(canvas.width, canvas.height, thorough);
    });
  }

  function element(tag, className, value) {
    var node = document.createElement(tag);
    if (className) node.className = className;
    if (value) node.textContent = value;
    if (className === 'en') node.lang = 'en';
    return node;
  }

  function refuse(verdict) {
    var words = page.refusals[verdict.kind && page.refusals[verdict.kind] ? verdict.kind : verdict.code];
    refusal.setAttribute('data-code', verdict.code);
    document.getElementById('refused').textContent = words.zh;
    document.getElementById('refused-en').textContent = words.en;
    document.getElementById('why').textContent = words.why;
    document.getElementById('why-en').textContent = words.why_en;
    var seen = document.getElementById('seen');
    seen.hidden = !verdict.seen || verdict.code !== 'foreign-host';
    document.getElementById('seen-host').textContent = verdict.seen;
    var list = document.getElementById('do');
    list.textContent = '';
    words.next.forEach(function (pair) {
      var line = element('li');
      line.appendChild(element('p', '', pair[0]));
      line.appendChild(element('p', 'en', pair[1]));
      list.appendChild(line);
    });
    document.documentElement.classList.add('refused');
    refusal.hidden = false;
    document.title = words.zh;
    scrollTo(0, 0);
    document.getElementById('refused').focus();
    if (navigator.vibrate) navigator.vibrate([80, 60, 80]);
  }

  function settle(texts) {
    var verdict = judgeView(texts, page.own);
    close();
    if (verdict.code === 'ours') {
      say('found');
      location.assign(page.official + '/v/' + verdict.token + '#' + verdict.payload);
    } else {
      refuse(verdict);
    }
  }

  function look() {
    if (!stream) return;
    if (video.readyState < 2 || !video.videoWidth) {
      setTimeout(look, 60);
      return;
    }
    read(video, video.videoWidth, video.videoHeight, 1280, false).then(function (texts) {
      if (!stream) return;
      if (texts.length) settle(texts);
      else setTimeout(look, 40);
    });
  }

  function close() {
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    stream = null;
    video.srcObject = null;
    frame.classList.remove('live');
    torchButton.hidden = true;
    openButton.hidden = false;
  }

  function open() {
    again();
    if (!(navigator.mediaDevices && navigator.mediaDevices.getUserMedia)) {
      say('no-camera');
      return;
    }
    say('asking');
    start();
    navigator.mediaDevices.getUserMedia({
      audio: false, video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } }
    }).then(function (given) {
      stream = given;
      video.srcObject = given;
      frame.classList.add('live');
      openButton.hidden = true;
      var track = given.getVideoTracks()[0];
      var can = track.getCapabilities ? track.getCapabilities() : {};
      torchButton.hidden = !can.torch;
      torchButton.onclick = function () {
        var on = torchButton.getAttribute('aria-pressed') !== 'true';
        track.applyConstraints({ advanced: [{ torch: on }] }).then(function () {
          torchButton.setAttribute('aria-pressed', String(on));
        });
      };
      say('looking');
      return video.play().then(look);
    }).then(null, function (error) {
      close();
      say(error && (error.name === 'NotAllowedError' || error.name === 'SecurityError') ? 'camera-refused' : 'no-camera');
    });
  }

  function again() {
    refusal.hidden = true;
    document.documentElement.classList.remove('refused');
    document.title = page.title;
  }

  function take(file) {
    if (!file) return;
    close();
    again();
    if (file.type === 'application/pdf' || /\.pdf$/i.test(file.name)) {
      say('is-pdf');
      return;
    }
    say('reading');
    start();
    createImageBitmap(file).then(function (bitmap) {
      return read(bitmap, bitmap.width, bitmap.height, 1600, true).then(function (texts) {
        return texts.length || Math.max(bitmap.width, bitmap.height) <= 1600 ? texts
          : read(bitmap, bitmap.width, bitmap.height, 3200, true);
      });
    }).then(function (texts) {
      if (texts.length) settle(texts);
      else say('nothing-found');
    }, function () { say('not-a-picture'); });
  }

  if (self.BarcodeDetector) {
    BarcodeDetector.getSupportedFormats().then(function (formats) {
      if (formats.indexOf('qr_code') >= 0) native = new BarcodeDetector({ formats: ['qr_code'] });
    }, function () { native = null; });
  }
  openButton.addEventListener('click', open);
  document.getElementById('again').addEventListener('click', open);
  document.getElementById('close-refusal').addEventListener('click', again);
  picture.addEventListener('change', function () {
    take(picture.files[0]);
    picture.value = '';
  });
  addEventListener('dragover', function (event) { event.preventDefault(); });
  addEventListener('drop', function (event) {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  addEventListener('pagehide', close);
  document.addEventListener('visibilitychange', function () { if (document.hidden) close(); });
  say('ready');
})();
