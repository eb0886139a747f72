// The first page: a file's digest is computed here, so that the file itself need not leave the machine.
(function () {
  var form = document.getElementById('file-form');
  var input = document.getElementById('file');
  var drop = document.getElementById('drop');
  var state = document.getElementById('file-state');
  var LIMIT = 10000000;
  document.documentElement.classList.add('js');

  function say(zh, en) {
    state.textContent = '';
    var line = document.createElement('p');
    line.textContent = zh;
    var english = document.createElement('p');
    english.className = 'en';
    english.lang = 'en';
    english.textContent = en;
    state.appendChild(line);
    state.appendChild(english);
  }

  // The server draws every answer; its page takes the place of this one.
  function show(html) {
    var page = new DOMParser().parseFromString(html, 'text/html');
    var main = document.importNode(page.getElementById('main'), true);
    document.getElementById('main').replaceWith(main);
    document.title = page.title;
    scrollTo(0, 0);
    var headline = document.getElementById('headline');
    if (headline) headline.focus();
  }

  function ask(address, options) {
    options.headers = Object.assign({ Accept: 'text/html' }, options.headers);
    options.credentials = 'omit';
    return fetch(address, options).catch(function () {
      say('连接不上服务器，没有得出结果。请检查网络后再试。', 'The server cannot be reached; there is no result. Check the network and try again.');
      return null;
    });
  }

  function offer(file) {
    state.textContent = '';
    state.appendChild(document.importNode(document.getElementById('offer').content, true));
    state.querySelector('[data-act=upload]').onclick = function () { upload(file); };
    state.querySelector('[data-act=stay]').onclick = function () {
      input.value = '';
      say('没有上传。可以改为扫描二维码，或输入管理号和姓名。', 'Nothing was uploaded. You can scan the QR code or type number and name instead.');
    };
  }

  function upload(file) {
    say('正在上传并核验……', 'Uploading and checking…');
    ask('/api/v1/check', { method: 'POST', body: file, headers: { 'Content-Type': 'application/pdf' } })
      .then(function (answer) { return answer && answer.text().then(show); });
  }

  function take(file) {
    if (!file) return;
    if (file.size > LIMIT) {
      say('文件超过 10 MB，不会是电子证书原件。请选择从官方渠道下载的 PDF。', 'The file is over 10 MB and cannot be an original certificate. Choose the PDF as it was downloaded.');
      return;
    }
    if (!(self.crypto && crypto.subtle)) {
      offer(file);
      return;
    }
    say('正在本机计算摘要……', 'Computing the digest on this device…');
    new Response(file).arrayBuffer().then(function (bytes) {
      return crypto.subtle.digest('SHA-256', bytes);
    }).then(function (digest) {
      return ask('/api/v1/files/' + hex(new Uint8Array(digest)), {});
    }).then(function (answer) {
      if (!answer) return null;
      if (answer.status === 404) return offer(file);
      return answer.text().then(show);
    }, function () {
      say('读不出这个文件。请重新选择。', 'The file could not be read. Please choose it again.');
    });
  }

  function hex(bytes) {
    return Array.from(bytes).map(function (b) { return (b < 16 ? '0' : '') + b.toString(16); }).join('');
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    take(input.files[0]);
  });
  input.addEventListener('change', function () { take(input.files[0]); });
  // A file let go beside the box must not make the browser leave this page.
  addEventListener('dragover', function (event) { event.preventDefault(); });
  addEventListener('drop', function (event) { event.preventDefault(); });
  ['dragover', 'dragleave', 'drop'].forEach(function (kind) {
    drop.addEventListener(kind, function (event) {
      event.preventDefault();
      drop.classList.toggle('over', kind === 'dragover');
      if (kind === 'drop') take(event.dataTransfer.files[0]);
    });
  });
})();
