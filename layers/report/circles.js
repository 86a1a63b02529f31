// shows the map and the table of the category chosen; names follow the language
(function () {
  var select = document.getElementById("category"), root = document.documentElement;
  if (!select) return;
  function show() {
    document.querySelectorAll(".cat, .cat-table").forEach(function (part) {
      part.classList.toggle("on", part.dataset.category === select.value);
    });
  }
  function name() {
    Array.prototype.forEach.call(select.options, function (option) {
      option.textContent = root.dataset.lang === "en" ? option.dataset.en : option.dataset.zh;
    });
  }
  select.addEventListener("change", show);
  new MutationObserver(name).observe(root, { attributes: true, attributeFilter: ["data-lang"] });
  show();
  name();
})();
