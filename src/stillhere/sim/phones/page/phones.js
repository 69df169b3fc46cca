// Draws what the provider says each phone shows, twice a second, and sends back what a hand does.
// Never builds HTML from what it is given: every text becomes a text node.
"use strict";

const KEYS = ["1", "2", "3", "4", "5", "6", "9"];
const LINK = /https?:\/\/[^\s<>"]+/g;
const NOTES = { call: "Call ended", missed: "Missed call", "rang-us": "Rang Lamp and hung up" };
const drawn = new Map();
let seen = "";

async function act(phone, action, more = {}) {
  try {
    const response = await fetch("/act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ phone, action, ...more }),
    });
    trouble(response.ok ? "" : (await response.json()).error);
    await look();
    return response.ok;
  } catch {
    trouble("The phones do not answer. Is the demo still running?");
    return false;
  }
}

function trouble(words) {
  const line = document.getElementById("trouble");
  line.textContent = words;
  line.hidden = !words;
}

function make(phone) {
  const part = document.getElementById("phone").content.cloneNode(true);
  const section = part.querySelector("section");
  const find = (selector) => section.querySelector(selector);
  const name = phone.name;
  section.id = "phone-" + phone.number.replace(/\D/g, "");
  section.setAttribute("aria-label", `${name}'s phone`);
  find("h2").textContent = name;
  find(".who").textContent = phone.role || phone.number;
  find(".who").title = phone.number;
  find(".entries").setAttribute("aria-label", `What ${name}'s phone shows`);
  find(".entries").tabIndex = 0;
  find(".answer").setAttribute("aria-label", `Answer ${name}'s phone`);
  find(".hang-up").setAttribute("aria-label", `Hang up ${name}'s phone`);
  find(".ring-us").setAttribute("aria-label", `Ring Lamp from ${name}'s phone and hang up`);
  find(".off").setAttribute("aria-label", `${name}'s phone: switched off`);
  find(".dead").setAttribute("aria-label", `${name}'s phone: number dead`);
  find("input").setAttribute("aria-label", `Text from ${name} to Lamp`);
  find(".write button").setAttribute("aria-label", `Send ${name}'s text`);
  find(".answer").onclick = () => act(name, "answer");
  find(".hang-up").onclick = () => act(name, "hang-up");
  find(".ring-us").onclick = () => act(name, "ring-us");
  find(".call-us").setAttribute("aria-label", `Call Lamp from ${name}'s phone`);
  find(".call-us").onclick = () => act(name, "call-us");
  find(".off").onclick = (event) => act(name, pressed(event.target) ? "on" : "off");
  find(".dead").onclick = (event) => act(name, pressed(event.target) ? "alive" : "dead");
  find("form").onsubmit = async (event) => {
    event.preventDefault();
    const box = find("input");
    if (await act(name, "text", { text: box.value })) box.value = "";
  };
  document.getElementById("phones").append(section);

  const anchor = document.createElement("a");
  anchor.href = "#" + section.id;
  document.getElementById("names").append(anchor);
  return { section, find, anchor, entries: "", call: "" };
}

function pressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

function draw(phone) {
  if (!drawn.has(phone.number)) drawn.set(phone.number, make(phone));
  const { section, find, anchor } = drawn.get(phone.number);
  const ringing = Boolean(phone.call && !phone.call.answered && !phone.call.to_us);
  const dead = phone.line !== "alive";
  section.classList.toggle("ringing", ringing);
  section.classList.toggle("in-call", Boolean(phone.call));
  section.classList.toggle("unreachable", dead || phone.off);
  anchor.classList.toggle("ringing", ringing);
  anchor.textContent = ringing ? `${phone.name} rings` : phone.name;
  find(".off").setAttribute("aria-pressed", String(phone.off));
  find(".dead").setAttribute("aria-pressed", String(dead));
  const dark = find(".dark");
  dark.hidden = !phone.off && !dead;
  dark.textContent = dead ? "This number is dead." : `Switched off. ${waiting(phone.waiting)}`;
  for (const part of [find("input"), find(".write button"), find(".ring-us"), find(".call-us")]) {
    part.disabled = phone.off || dead;
  }
  drawEntries(drawn.get(phone.number), phone.entries);
  drawCall(drawn.get(phone.number), phone);
}

function waiting(count) {
  if (!count) return "";
  return count === 1 ? "1 text waits." : `${count} texts wait.`;
}

function drawEntries(view, entries) {
  const now = JSON.stringify(entries);
  if (now === view.entries) return;
  view.entries = now;
  const list = view.find(".entries");
  list.replaceChildren(...entries.map(entryLine));
  list.scrollTop = list.scrollHeight;
}

function entryLine(entry) {
  const line = document.createElement("p");
  const isText = entry.kind.startsWith("text-");
  line.className = isText ? entry.kind : "note";
  if (isText) line.append(...linked(entry.text));
  else line.textContent = entry.kind === "key" ? `Pressed ${entry.text}` : NOTES[entry.kind];
  const time = document.createElement("time");
  const when = new Date(entry.at_ms);
  time.dateTime = when.toISOString();
  time.textContent = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  line.append(time);
  return line;
}

function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(end, match.index));
    const anchor = document.createElement("a");
    anchor.href = match[0];
    anchor.textContent = match[0];
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer";
    parts.push(anchor);
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

function drawCall(view, phone) {
  const now = JSON.stringify(phone.call);
  if (now === view.call) return;
  view.call = now;
  const call = phone.call;
  view.find(".call").hidden = !call;
  if (!call) return;
  view.find(".caller").textContent = call.answered ? "Lamp says" : call.to_us ? "Calling Lamp" : "Lamp is calling";
  view.find(".says").textContent = call.answered ? call.says : "";
  view.find(".answer").hidden = call.answered || call.to_us;
  const keys = view.find(".keys");
  const focused = keys.contains(document.activeElement) && document.activeElement.textContent;
  keys.replaceChildren(...(call.answered ? keypad(phone.name, call.choices) : []));
  const again = [...keys.children].find((key) => key.textContent === focused);
  if (again) again.focus();
}

function keypad(name, choices) {
  const digits = [...new Set([...KEYS, ...Object.keys(choices)])].filter((key) => key.length === 1);
  return digits.sort().map((key) => {
    const button = document.createElement("button");
    const means = choices[key] || "";
    button.type = "button";
    button.textContent = key;
    button.className = means ? "means" : "";
    button.title = means;
    button.setAttribute("aria-label", `${name} presses ${key}${means ? `: ${means}` : ""}`);
    button.onclick = () => act(name, "key", { key });
    return button;
  });
}

async function look() {
  const response = await fetch(`/state?seen=${seen}`);
  if (response.status !== 200) return;
  const state = await response.json();
  seen = state.version;
  state.phones.forEach(draw);
}

async function watch() {
  try {
    await look();
    const line = document.getElementById("trouble");
    if (line.textContent.startsWith("The phones do not answer")) trouble("");
  } catch {
    seen = ""; // it may come back as a new process, which counts from nothing again
    trouble("The phones do not answer. Is the demo still running?");
  }
  setTimeout(watch, 500);
}

watch();
