// SPDX-License-Identifier: EUPL-1.2
// The photo's procedure: asking for consent, consenting, supplying, looking at what was supplied, releasing,
// withdrawing a wrong one; and for the police contact seeing it and taking it as a file.
#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/station/forms.h"
#include "client/station/picture.h"
#include "client/station/station.h"
#include "client/station/work.h"
#include "server/base/secret.h"
#include "waarborg/v1/bans.grpc.pb.h"
#include "waarborg/v1/checks.grpc.pb.h"
#include "waarborg/v1/releases.grpc.pb.h"

namespace waarborg::station {
namespace {

using Service = pb::PhotoReleaseService;
using Stub = pb::PhotoReleaseService::Stub;

// As the core takes them.
constexpr auto kSupplyTakes = std::chrono::seconds(60);
constexpr int kMaxReason = 2000, kMaxBasis = 500;

// ---- Words.

// How the state of the photo looks as a tag.
const char* TagKind(pb::PhotoState state) {
  switch (state) {
    case pb::PHOTO_STATE_REQUESTED:
    case pb::PHOTO_STATE_CONSENTED:
    case pb::PHOTO_STATE_SUPPLIED:
      return "expected";
    case pb::PHOTO_STATE_RELEASED:
      return "clear";
    case pb::PHOTO_STATE_DARKENED:
      return "possible";
    default:
      return "plain";
  }
}

struct FaultWord {
  PictureFault fault;
  const char* text;  // Dutch: what is wrong, and what to do now
};
constexpr FaultWord kFaults[] = {
    {PictureFault::kEmpty, T("Er is geen foto gekozen, of het bestand is leeg. Kies een bestand.")},
    {PictureFault::kNotAPicture,
     T("Dit bestand is geen JPEG of PNG, hoe het ook heet. Sla de foto op als JPEG en kies die.")},
    {PictureFault::kDamaged,
     T("Deze foto is beschadigd of niet compleet. Haal de foto opnieuw op bij de bron.")},
    {PictureFault::kMoreBehind, T("Achter deze foto staat nog iets anders in het bestand. Sla de foto "
                                  "opnieuw op als JPEG en kies die.")},
    {PictureFault::kTooManyBytes, T("Dit bestand is groter dan 10 MB. Sla de foto kleiner op en kies die.")},
    {PictureFault::kTooManyPixels,
     T("Deze foto heeft meer dan 40 miljoen beeldpunten. Sla de foto kleiner op en kies die.")},
    {PictureFault::kTooSmall, T("Deze foto is te klein om iemand te herkennen: minder dan 100 bij 128 "
                                "beeldpunten. Haal een grotere op bij de bron.")},
};

std::string FaultText(const Visit& v, PictureFault fault) {
  for (const FaultWord& word : kFaults) {
    if (word.fault == fault) return v.Say(word.text);
  }
  return "";
}

// ---- The file that a page is about.

struct File {
  pb::Ban ban;
  std::vector<pb::TimelineStep> steps;  // oldest first; none when the core does not tell

  const pb::PhotoRelease& release() const { return ban.release(); }
  pb::PhotoState state() const { return ban.release().state(); }
  std::string Path(const char* page) const { return absl::StrCat("/files/", ban.id(), page); }
};

// A page for what the core refused as a whole.
Response Refused(Visit& v, const client::Error& error) {
  View view;
  view.Set("text", v.words.Message(error.detail))
      .Set("next_step", v.words.NextStep(error.detail))
      .Set("rule", error.rule());
  view.Set("back", View().Set("path", "/").Set("label", v.Say("Naar het begin")));
  const int status = error.code == grpc::StatusCode::NOT_FOUND           ? 404
                     : error.code == grpc::StatusCode::PERMISSION_DENIED ? 403
                                                                         : 503;
  return v.Page("error", v.Say("Dit lukt niet"), std::move(view), status);
}

std::optional<File> OpenFile(Visit& v, client::Error& error, bool with_steps) {
  File file;
  pb::GetBanRequest request;
  request.set_ban_id(v.Part("ban"));
  pb::GetBanResponse response;
  error = v.Ask<pb::BanService>(&pb::BanService::Stub::GetBan, request, &response);
  if (!error.ok()) return std::nullopt;
  file.ban = std::move(*response.mutable_ban());
  if (with_steps) {
    pb::GetTimelineRequest wanted;
    wanted.set_ban_id(file.ban.id());
    pb::GetTimelineResponse told;
    // Only for the names in it: without them the page says when and not who.
    if (v.Ask<pb::BanService>(&pb::BanService::Stub::GetTimeline, wanted, &told).ok()) {
      file.steps.assign(told.steps().begin(), told.steps().end());
    }
  }
  return file;
}

// "M. Bakker, 2 maart, 14:05": who took this step last; empty when that is not told.
std::string Did(const Visit& v, const File& file, const std::string& event) {
  for (auto it = file.steps.rbegin(); it != file.steps.rend(); ++it) {
    if (it->event() != event) continue;
    const std::string at = v.words.ShortMoment(it->at());
    return it->person_name().empty() ? at : absl::StrCat(it->person_name(), ", ", at);
  }
  return "";
}

// What the decision is about, in short: the file itself has the rest.
FactList BanFacts(Visit& v, const File& file) {
  const pb::Ban& ban = file.ban;
  FactList facts;
  facts.Add(v.Say("Betrokkene"), Heading(v, ban.identity()), true);
  if (ban.identity().birth_date().year() != 0)
    facts.Add(v.Say("Geboortedatum"), v.words.Day(ban.identity().birth_date()), true);
  facts.Add(v.Say("Maatregel"), MeasureText(v, ban.terms().measure()));
  facts.Add(v.Say("Grond"), NameIn(v.choices().grounds(), ban.terms().ground_id()));
  facts.Add(v.Say("Waar"), ScopeText(v, ban.terms().has_scope() ? ban.terms().scope() : ban.scope()));
  if (ban.terms().has_until()) {
    facts.Add(v.Say("Geldt"),
              v.Say("{from} tot en met {until}", {{"from", v.words.Day(ban.terms().from())},
                                                  {"until", v.words.Day(ban.terms().until())}}));
  }
  return facts;
}

// That the person concerned was told about the photo.
void AddInformed(Visit& v, const File& file, FactList& facts) {
  const pb::PhotoRelease& r = file.release();
  if (!r.has_informed_on()) return;
  const std::string day = v.words.Day(r.informed_on());
  facts.Add(v.Say("Ingelicht"), r.informed_how() == pb::INFORMED_HOW_LETTER
                                    ? v.Say("per brief, {day}", {{"day", day}})
                                    : v.Say("in het STOP-gesprek, {day}", {{"day", day}}));
}

View Head(Visit& v, const File& file) {
  View view;
  SetFileHead(v, file.ban, file.Path(""), v.Say("Terug naar het dossier"), view);
  // Here the photo counts, not the ban.
  view.Set("state", false);
  if (const std::string state = PhotoText(v, file.state()); !state.empty()) {
    view.Set("state", View().Set("kind", TagKind(file.state())).Set("text", state));
  }
  return view;
}

// The step of this page is not the one that the file is at.
Response NotNow(Visit& v, const File& file) {
  View view = Head(v, file);
  view.Set("icon", "info-circle")
      .Set("action", View().Set("path", file.Path("")).Set("label", v.Say("Naar het dossier")));
  const std::string state = PhotoText(v, file.state());
  view.Set("text",
           v.Say("Stand van de foto: {state}.", {{"state", state.empty() ? v.Say("niet bekend") : state}}));
  return v.Page("photo_not_now", v.Say("Deze stap is nu niet aan de orde"), std::move(view));
}

// Where the core's words go: to the field when the form has it, else to the top.
void Problem(Visit& v, const client::Error& error, const std::vector<std::string>& fields) {
  client::Error shown = error;
  if (std::find(fields.begin(), fields.end(), error.detail.field()) == fields.end())
    shown.detail.clear_field();
  v.Problem(shown);
}

// A page about one file: opens it, and shows why that is refused.
template <class Show>
Response WithFile(Visit& v, bool with_steps, Show show) {
  client::Error error;
  const auto file = OpenFile(v, error, with_steps);
  return file ? show(*file) : Refused(v, error);
}

FieldOptions Sized(int length, int rows = 3) {
  FieldOptions o;
  o.max_length = length;
  o.rows = rows;
  return o;
}

// ---- Asking for consent (T&V).

Response RequestPage(Visit& v) {
  return WithFile(v, false, [&](const File& file) {
    if (file.state() != pb::PHOTO_STATE_INFORMED) return NotNow(v, file);
    View view;
    FactList facts = BanFacts(v, file);
    AddInformed(v, file, facts);
    view.Set("facts", facts.views()).Set("path", file.Path("/request")).Set("back_path", file.Path(""));
    view.Set("text", v.Say("Een leidinggevende beslist of de foto gebruikt mag worden, op vaste criteria. "
                           "Wie dit verbod voorstelde voor het eigen team beslist niet, en u ook niet."));
    view.Set("yes", v.Say("Toestemming vragen")).Set("danger", false);
    std::vector<View> hidden;
    hidden.push_back(std::move(View().Set("name", "key").Set("value", client::NewIdempotencyKey())));
    view.Set("hidden", hidden);
    return v.Page("confirm", v.Say("Toestemming vragen voor de foto"), std::move(view));
  });
}

Response Request(Visit& v) {
  pb::RequestReleaseRequest request;
  request.set_ban_id(v.Part("ban"));
  if (const auto error = v.Tell<Service>(&Stub::RequestRelease, request); !error.ok()) {
    Problem(v, error, {});
    return RequestPage(v);
  }
  return v.Done(absl::StrCat("/files/", request.ban_id()), v.Say("De toestemming is gevraagd."));
}

// ---- Consent, or not (the manager).

std::string AnswerField(const std::string& criterion) {
  return absl::StrCat("answers.", criterion);
}
std::string NoteField(const std::string& criterion) {
  return absl::StrCat("answers.", criterion, ".explanation");
}

Response ConsentPage(Visit& v) {
  return WithFile(v, true, [&](const File& file) {
    if (file.state() != pb::PHOTO_STATE_REQUESTED) return NotNow(v, file);
    View view = Head(v, file);
    if (v.choices().criteria().empty()) {
      v.Problem(v.Say("De criteria zijn nu niet op te vragen."),
                v.Say("Probeer het over een minuut opnieuw."));
    }
    std::vector<View> criteria;
    for (const auto& criterion : v.choices().criteria()) {
      const std::string number = absl::StrCat(criteria.size() + 1);
      const std::string name = AnswerField(criterion.id()), note = NoteField(criterion.id());
      View one;
      one.Set("id", FieldId(name))
          .Set("name", name)
          .Set("text", absl::StrCat(number, ". ", criterion.text()));
      one.Set("yes", v.Field(name) == "yes").Set("no", v.Field(name) == "no");
      const std::string note_fault = v.FaultAt(note);
      one.Set("error", note_fault == v.FaultAt(name) ? "" : v.FaultAt(name)).Set("note_error", note_fault);
      one.Set("note_id", FieldId(note)).Set("note_name", note).Set("note", v.request.Field(note));
      criteria.push_back(std::move(one));
    }
    view.Set("criteria", criteria);
    std::vector<Choice> bases;
    for (const auto& basis : v.choices().legal_bases()) bases.push_back({basis.id(), basis.name(), ""});
    FieldOptions basis;
    if (bases.size() == 1) basis.value = bases[0].code;
    view.Set("basis", ChoiceField(v, "legal_basis_id", v.Say("Op welke grondslag"), bases, basis));
    FactList facts = BanFacts(v, file);
    AddInformed(v, file, facts);
    facts.Add(v.Say("Gevraagd"), Did(v, file, "RequestRelease"));
    view.Set("facts", facts.views()).Set("reasons", file.ban.reasons()).Set("path", file.Path("/consent"));
    return v.Page("consent", v.Say("Toestemming foto"), std::move(view));
  });
}

Response Consent(Visit& v) {
  const bool consent = v.Field("do") == "consent";
  pb::DecideConsentRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_consent(consent);
  for (const auto& criterion : v.choices().criteria()) {
    const std::string number = absl::StrCat(request.answers_size() + 1);
    const std::string answer = v.Field(AnswerField(criterion.id())),
                      note = v.Field(NoteField(criterion.id()));
    if (answer != "yes" && answer != "no")
      v.Fault(AnswerField(criterion.id()), v.Say("Criterium {n}: kies ja of nee.", {{"n", number}}));
    if (note.empty())
      v.Fault(NoteField(criterion.id()), v.Say("Criterium {n}: schrijf in een zin waarom.", {{"n", number}}));
    auto* one = request.add_answers();
    one->set_criterion_id(criterion.id());
    one->set_met(answer == "yes");
    one->set_explanation(note);
  }
  if (consent) {
    request.set_legal_basis_id(v.Field("legal_basis_id"));
    if (request.legal_basis_id().empty()) v.Fault("legal_basis_id", v.Say("Kies de grondslag."));
  }
  if (v.has_problem()) return ConsentPage(v);
  if (const auto error = v.Tell<Service>(&Stub::DecideConsent, request); !error.ok()) {
    Problem(v, error, {"legal_basis_id"});
    return ConsentPage(v);
  }
  return v.Done(absl::StrCat("/files/", request.ban_id()),
                consent ? v.Say("Toestemming gegeven. Burgerzaken verstrekt de foto.")
                        : v.Say("Toestemming geweigerd. Het verbod gaat door zonder foto."));
}

// ---- Supplying (Burgerzaken).

// The cut that the form holds; false when its numbers are none, and `cut` is then the largest.
bool ReadCut(const Visit& v, const Picture& picture, Cut& cut) {
  cut = LargestCut(picture);
  int left = 0, top = 0, width = 0;
  if (v.request.Field("crop.width").empty()) return true;
  for (const auto& [name, number] :
       {std::pair{"crop.left", &left}, {"crop.top", &top}, {"crop.width", &width}}) {
    const std::string text = v.Field(name);
    if (text.size() > 5 || !absl::SimpleAtoi(text, number)) return false;
  }
  const Cut wish = NearestCut(picture, left, top, width);
  const bool held = wish.left == left && wish.top == top && wish.width == width;
  cut = wish;
  return held;
}

// The picture with its cut, and where a face fits into it.
View PreviewView(Visit& v, const HeldPicture& upload, const Cut& cut) {
  View view;
  const std::string name = v.seat->upload().NewName(v.station.random());
  view.Set("path", absl::StrCat("/upload/", name)).Set("upload", name);
  view.Set("width", upload.picture.width).Set("height", upload.picture.height);
  view.Set("x", cut.left).Set("y", cut.top).Set("cut_width", cut.width).Set("cut_height", cut.height);
  // On 35 x 45 mm: 20 wide and 28 high, its middle a little above that of the photo.
  view.Set("face_x", cut.left + cut.width / 2).Set("face_y", cut.top + cut.height * 47 / 100);
  view.Set("face_rx", cut.width * 10 / 35).Set("face_ry", cut.height * 14 / 45);
  return view;
}

constexpr std::pair<const char*, const char*> kChecks[] = {
    {"basis_checked", T("Ik heb de grondslag gecontroleerd")},
    {"person_checked", T("Ik heb gecontroleerd wie de persoon is")},
    {"photo_matches_person", T("Ik heb gecontroleerd dat deze foto bij die persoon hoort")},
};

Response SupplyForm(Visit& v, const File& file, const std::optional<Cut>& cut, bool decline_open) {
  if (file.state() != pb::PHOTO_STATE_CONSENTED) return NotNow(v, file);
  View view = Head(v, file);
  FactList facts = BanFacts(v, file);
  facts.Add(v.Say("Toestemming"), Did(v, file, "DecideConsent"));
  facts.Add(v.Say("Grondslag"), NameIn(v.choices().legal_bases(), file.release().legal_basis_id()));
  AddInformed(v, file, facts);
  view.Set("facts", facts.views());
  std::vector<View> answers;
  for (const auto& answer : file.release().answers()) {
    std::string text = answer.criterion_id();
    for (const auto& criterion : v.choices().criteria()) {
      if (criterion.id() == answer.criterion_id()) text = criterion.text();
    }
    View one;
    one.Set("text", text)
        .Set("answer", answer.met() ? v.Say("Ja") : v.Say("Nee"))
        .Set("note", answer.explanation());
    answers.push_back(std::move(one));
  }
  view.Set("answers", answers);
  view.Set("upload_path", file.Path("/upload")).Set("supply_path", file.Path("/supply"));
  view.Set("decline_path", file.Path("/decline")).Set("decline_open", decline_open);
  FieldOptions photo;
  photo.accept = "image/jpeg,image/png";
  photo.hint = v.Say("JPEG of PNG, hoogstens 10 MB. Alleen de uitsnede wordt bewaard.");
  View field = TextField(v, "photo", v.Say("Foto uit de administratie"), photo);
  field.Set("max_bytes", absl::StrCat(kMaxPictureBytes));
  field.Set("too_large", FaultText(v, PictureFault::kTooManyBytes));
  view.Set("photo", field);
  const auto upload = v.seat->upload().For(file.ban.id());
  if (upload != nullptr) {
    view.Set("preview", PreviewView(v, *upload, cut.value_or(LargestCut(upload->picture))));
    std::vector<Choice> sources;
    for (const auto& source : v.choices().photo_sources()) {
      if (source.allowed()) sources.push_back({source.id(), source.name(), ""});
    }
    FieldOptions only;
    if (sources.size() == 1) only.value = sources[0].code;
    view.Set("source", sources.empty()
                           ? TextField(v, "source_id", v.Say("Waar de foto vandaan komt"))
                           : ChoiceField(v, "source_id", v.Say("Waar de foto vandaan komt"), sources, only));
    view.Set("source_choices", !sources.empty());
    std::vector<View> checks;
    for (const auto& [name, label] : kChecks) checks.push_back(CheckField(v, name, v.Say(label)));
    view.Set("checks", checks);
  } else {
    view.Set("preview", false);
  }
  view.Set("reason", TextField(v, "reason", v.Say("Waarom niet"), Sized(kMaxReason)));
  return v.Page("supply", v.Say("Foto verstrekken"), std::move(view));
}

Response SupplyPage(Visit& v, const std::optional<Cut>& cut, bool decline_open = false) {
  return WithFile(v, true, [&](const File& file) { return SupplyForm(v, file, cut, decline_open); });
}

Response ShowSupply(Visit& v) {
  return SupplyPage(v, std::nullopt);
}

// A file from somebody's computer, whatever it is. Kept only when it is a picture and one is waited for.
Response TakeUpload(Visit& v) {
  return WithFile(v, true, [&](const File& file) {
    v.seat->upload().Clear();
    if (file.state() != pb::PHOTO_STATE_CONSENTED) return NotNow(v, file);
    auto sent = v.request.files.find("photo");
    std::string bytes = sent == v.request.files.end() ? "" : std::move(sent->second.bytes);
    Picture picture;
    if (const PictureFault fault = LookAt(bytes, picture); fault != PictureFault::kNone) {
      base::Wipe(bytes);
      v.Fault("photo", FaultText(v, fault));
      return SupplyForm(v, file, std::nullopt, false);
    }
    v.seat->upload().Put(std::make_shared<const HeldPicture>(file.ban.id(), std::move(bytes), picture));
    return Response::Redirect(file.Path("/supply#cut"));
  });
}

// The bytes as they were sent in, for the page with that name; to the browser a picture and nothing else.
Response UploadBytes(Visit& v) {
  const auto upload = v.seat->upload().Named(v.Part("name"));
  if (upload == nullptr) return Response::Plain(404, "gone\n");
  Response out;
  out.content_type = upload->picture.content_type();
  out.body = upload->bytes;
  out.wipe = true;
  out.headers.emplace_back("Content-Disposition", "inline");
  out.headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
  return out;
}

// What is wrong with the file itself: it is not kept.
bool IsAboutTheBytes(const client::Error& error) {
  const std::string rule = error.rule();
  return rule == "photo-not-an-image" || rule == "photo-damaged" || rule == "photo-disguised" ||
         rule == "photo-too-large" || rule == "photo-too-many-pixels" || rule == "photo-too-small";
}

Response Supply(Visit& v) {
  client::Error error;
  const auto file = OpenFile(v, error, true);
  if (!file) return Refused(v, error);
  // Sent twice: the first one did it.
  if (file->state() == pb::PHOTO_STATE_SUPPLIED) return Response::Redirect(file->Path("/preview"));
  const auto upload = v.seat->upload().Named(v.Field("upload"));
  if (upload == nullptr || upload->ban_id != file->ban.id()) {
    v.Problem(
        v.Say("Deze pagina is verlopen: de foto is hier niet meer, of er kwam een andere foto voor in de "
              "plaats."),
        v.Say("Kijk of dit de goede foto is, of kies opnieuw. Een foto blijft hier hoogstens tien minuten."));
    return SupplyForm(v, *file, std::nullopt, false);
  }
  Cut cut;
  const bool held = ReadCut(v, upload->picture, cut);
  if (const std::string step = v.Field("move"); !step.empty()) {
    return SupplyForm(v, *file, MovedCut(upload->picture, cut, step), false);
  }
  if (!held) {
    v.Fault("crop.left", v.Say("Deze uitsnede past niet in de foto en is aangepast. Kijk of het zo goed is, "
                               "en verstrek dan opnieuw."));
  }
  pb::SupplyApproval approval;
  approval.set_idempotency_key(v.Key());
  approval.set_ban_id(file->ban.id());
  approval.set_source_id(v.Field("source_id"));
  approval.set_legal_basis_id(file->release().legal_basis_id());
  approval.set_basis_checked(v.Checked("basis_checked"));
  approval.set_person_checked(v.Checked("person_checked"));
  approval.set_photo_matches_person(v.Checked("photo_matches_person"));
  approval.set_file_size(static_cast<int64_t>(upload->bytes.size()));
  approval.mutable_crop()->set_left(cut.left);
  approval.mutable_crop()->set_top(cut.top);
  approval.mutable_crop()->set_width(cut.width);
  approval.mutable_crop()->set_height(cut.height);
  if (approval.source_id().empty()) v.Fault("source_id", v.Say("Kies waar de foto vandaan komt."));
  for (const auto& [name, label] : kChecks) {
    if (!v.Checked(name)) v.Fault(name, v.Say("Controleer dit en vink het aan, of verstrek de foto niet."));
  }
  if (!v.has_problem()) {
    pb::SupplyPhotoResponse supplied;
    error = v.Settled(client::SendPhoto(v.CoreConnection(), kSupplyTakes, approval, upload->bytes, supplied));
    if (error.ok()) {
      v.seat->upload().Clear();
      return v.Done(file->Path("/preview"),
                    v.Say("Verstrekt. Verwijder het bestand nu van uw computer. Kijk hier of de foto goed "
                          "is; daarna geeft Toezicht en Veiligheid de foto vrij."));
    }
    if (IsAboutTheBytes(error)) {
      v.seat->upload().Clear();
      v.Fault("photo", v.words.Whole(error.detail));
    } else {
      Problem(v, error, {"source_id"});
    }
  }
  return SupplyForm(v, *file, cut, false);
}

Response Decline(Visit& v) {
  pb::DeclineSupplyRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_reason(v.Field("reason"));
  if (request.reason().empty()) {
    v.Fault("reason", v.Say("Schrijf waarom u de foto niet verstrekt."));
    return SupplyPage(v, std::nullopt, true);
  }
  if (const auto error = v.Tell<Service>(&Stub::DeclineSupply, request); !error.ok()) {
    Problem(v, error, {"reason"});
    return SupplyPage(v, std::nullopt, true);
  }
  v.seat->upload().Clear();
  return v.Done(absl::StrCat("/files/", request.ban_id()),
                v.Say("Niet verstrekt. Het verbod gaat door zonder foto; Juridische Zaken leest uw reden."));
}

// ---- Looking at one photo.

struct Look {
  const char* page;  // "/preview"
  const char* what;  // Dutch
  const char* text;  // Dutch
  bool purpose;      // asked for
};
constexpr Look kPreview = {"/preview", T("Zo wordt de foto getoond"),
                           T("Kijk of dit de goede persoon is en of het gezicht goed te zien is. Nog niemand "
                             "anders ziet deze foto."),
                           false};
constexpr Look kView = {"/view", T("Foto zien"), T("Kijk alleen als u de foto nu voor uw werk nodig hebt."),
                        true};

struct PurposeWord {
  const char* code;
  pb::Purpose purpose;
  const char* label;  // Dutch
};
constexpr PurposeWord kPurposes[] = {
    {"incident", pb::PURPOSE_INCIDENT, T("Voorbereiden of afhandelen van een incident")},
    {"sighting", pb::PURPOSE_SIGHTING, T("Iemand is gezien bij een gebouw")},
    {"briefing", pb::PURPOSE_BRIEFING, T("Briefing aan het begin van een dienst")},
};

View PurposeField(const Visit& v) {
  std::vector<Choice> choices;
  for (const PurposeWord& word : kPurposes) choices.push_back({word.code, v.Say(word.label), ""});
  return ChoiceField(v, "purpose", v.Say("Waarvoor"), choices);
}

pb::Purpose ChosenPurpose(const Visit& v) {
  for (const PurposeWord& word : kPurposes) {
    if (v.Field("purpose") == word.code) return word.purpose;
  }
  return pb::PURPOSE_UNSPECIFIED;
}

// Whether this person has read the instruction in force.
bool InstructionRead(Visit& v) {
  pb::GetInstructionResponse response;
  const auto error = v.Ask<pb::CheckService>(&pb::CheckService::Stub::GetInstruction,
                                             pb::GetInstructionRequest(), &response);
  // When it cannot be asked, the core says so where it matters.
  return !error.ok() || response.has_acknowledged_at();
}

View LookView(Visit& v, const Look& look, const std::string& ban_id) {
  View view;
  view.Set("look_path", absl::StrCat("/files/", ban_id, look.page)).Set("path", "").Set("refused", "");
  view.Set("purpose", false);
  if (look.purpose) view.Set("purpose", PurposeField(v));
  return view;
}

Response LookPage(Visit& v, const Look& look, std::optional<View> shown) {
  return WithFile(v, false, [&](const File& file) {
    const bool preview = !look.purpose;
    if (preview && file.state() != pb::PHOTO_STATE_SUPPLIED) return NotNow(v, file);
    View view = Head(v, file);
    view.Set("facts", BanFacts(v, file).views()).Set("what", v.Say(look.what)).Set("text", v.Say(look.text));
    const bool read = preview || InstructionRead(v);
    view.Set("instruction_path", read ? "" : "/instruction");
    if (read) {
      view.Set("look", shown ? std::move(*shown) : LookView(v, look, file.ban.id()));
    } else {
      view.Set("look", false);
    }
    std::vector<View> actions;
    const auto action = [&](const char* page, const std::string& label, const char* icon, bool danger) {
      actions.push_back(std::move(
          View().Set("path", file.Path(page)).Set("label", label).Set("icon", icon).Set("danger", danger)));
    };
    if (preview) {
      action("/withdraw", v.Say("Verkeerde foto intrekken"), "photo-off", true);
    } else {
      action("/export", v.Say("Foto als bestand"), "download", false);
    }
    view.Set("actions", actions).Set("has_actions", true);
    return v.Page("photo_page", v.Say(look.what), std::move(view));
  });
}

// Shows what came, or why it did not.
Response Shown(Visit& v, const Look& look, const client::Error& error, std::string jpeg) {
  View view = LookView(v, look, v.Part("ban"));
  if (error.ok()) {
    view.Set("path", "/photo/" + v.seat->HoldPhoto(std::move(jpeg), v.station.random()));
  } else {
    base::Wipe(jpeg);
    view.Set("refused", v.words.Whole(error.detail));
  }
  if (v.fragment()) return v.Fragment("photo_look", std::move(view));
  return LookPage(v, look, std::move(view));
}

Response ShowPreview(Visit& v) {
  return LookPage(v, kPreview, std::nullopt);
}
Response Preview(Visit& v) {
  pb::PreviewPhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  std::string jpeg;
  const auto error = v.Receive<pb::PreviewPhotoResponse>(
      [&](grpc::ClientContext& context) {
        return pb::PhotoReleaseService::NewStub(v.CoreConnection().channel())
            ->PreviewPhoto(&context, request);
      },
      jpeg);
  return Shown(v, kPreview, error, std::move(jpeg));
}

Response ShowView(Visit& v) {
  return LookPage(v, kView, std::nullopt);
}
Response SeePhoto(Visit& v) {
  pb::ShowPhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_purpose(ChosenPurpose(v));
  std::string jpeg;
  const auto error = v.Receive<pb::ShowPhotoResponse>(
      [&](grpc::ClientContext& context) {
        return pb::CheckService::NewStub(v.CoreConnection().channel())->ShowPhoto(&context, request);
      },
      jpeg);
  return Shown(v, kView, error, std::move(jpeg));
}

// ---- As a file (police contact).

Response ExportPage(Visit& v) {
  return WithFile(v, false, [&](const File& file) {
    View view = Head(v, file);
    view.Set("facts", BanFacts(v, file).views()).Set("path", file.Path("/export"));
    view.Set("instruction_path", InstructionRead(v) ? "" : "/instruction");
    view.Set("purpose", PurposeField(v));
    FieldOptions basis = Sized(kMaxBasis);
    basis.hint = v.Say("Bijvoorbeeld het nummer van het proces-verbaal. Geen namen.");
    view.Set("basis", TextField(v, "basis", v.Say("Op welke basis"), basis));
    return v.Page("photo_export", v.Say("Foto als bestand"), std::move(view));
  });
}

Response Export(Visit& v) {
  pb::ExportPhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_purpose(ChosenPurpose(v));
  request.set_basis(v.Field("basis"));
  if (request.purpose() == pb::PURPOSE_UNSPECIFIED) v.Fault("purpose", v.Say("Kies waarvoor."));
  if (request.basis().empty()) v.Fault("basis", v.Say("Vul in op welke basis u het bestand meeneemt."));
  if (v.has_problem()) return ExportPage(v);
  Response out;
  const auto error = v.Receive<pb::ExportPhotoResponse>(
      [&](grpc::ClientContext& context) {
        return pb::PhotoReleaseService::NewStub(v.CoreConnection().channel())->ExportPhoto(&context, request);
      },
      out.body);
  if (!error.ok()) {
    base::Wipe(out.body);
    Problem(v, error, {"basis", "purpose"});
    return ExportPage(v);
  }
  out.content_type = "image/jpeg";
  out.wipe = true;
  // The core knows this file, so that its id is one: letters, digits and a dash.
  out.headers.emplace_back("Content-Disposition",
                           absl::StrCat("attachment; filename=\"", request.ban_id(), ".jpg\""));
  return out;
}

// ---- Releasing (T&V).

Response ReleasePage(Visit& v) {
  return WithFile(v, true, [&](const File& file) {
    if (file.state() != pb::PHOTO_STATE_SUPPLIED) return NotNow(v, file);
    View view = Head(v, file);
    FactList facts = BanFacts(v, file);
    AddInformed(v, file, facts);
    facts.Add(v.Say("Toestemming"), Did(v, file, "DecideConsent"));
    facts.Add(v.Say("Grondslag"), NameIn(v.choices().legal_bases(), file.release().legal_basis_id()));
    facts.Add(v.Say("Verstrekt"), Did(v, file, "SupplyPhoto"));
    facts.Add(v.Say("Bron"), NameIn(v.choices().photo_sources(), file.release().source_id()));
    view.Set("facts", facts.views()).Set("path", file.Path("/release"));
    std::vector<View> units;
    std::vector<std::string> others;
    for (const auto& unit : v.choices().units()) {
      if (!unit.may_see_photos()) {
        others.push_back(unit.name());
        continue;
      }
      View field = OneOfField(v, "recipient_unit_ids", {unit.id(), unit.name(), ""}, false);
      field.Set("error", false);  // said once, for all of them
      units.push_back(std::move(field));
    }
    if (units.empty()) {
      v.Problem(v.Say("De groepen zijn nu niet op te vragen."),
                v.Say("Probeer het over een minuut opnieuw."));
    }
    view.Set("units", units).Set("units_error", v.FaultAt("recipient_unit_ids"));
    view.Set("others", absl::StrJoin(others, ", "));
    FieldOptions reason = Sized(kMaxReason);
    reason.optional = true;
    view.Set("on_call", TextField(v, "on_call_basis", v.Say("Waarom het niet kan wachten"), reason));
    view.Set("on_call_open", !v.Field("on_call_basis").empty() || !v.FaultAt("on_call_basis").empty());
    return v.Page("photo_release", v.Say("Foto vrijgeven"), std::move(view));
  });
}

Response Release(Visit& v) {
  pb::ReleasePhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  for (const std::string& id : v.request.Fields("recipient_unit_ids")) request.add_recipient_unit_ids(id);
  request.set_on_call_basis(v.Field("on_call_basis"));
  if (request.recipient_unit_ids().empty()) {
    v.Fault("recipient_unit_ids", v.Say("Kies ten minste een groep."));
    return ReleasePage(v);
  }
  if (const auto error = v.Tell<Service>(&Stub::ReleasePhoto, request); !error.ok()) {
    Problem(v, error, {"recipient_unit_ids", "on_call_basis"});
    return ReleasePage(v);
  }
  return v.Done(absl::StrCat("/files/", request.ban_id()),
                v.Say("De foto is vrijgegeven. Wie de foto mag zien, leest eerst de instructie."));
}

// ---- A wrong photo (Burgerzaken).

Response WithdrawPage(Visit& v) {
  return WithFile(v, false, [&](const File& file) {
    const bool there = file.state() == pb::PHOTO_STATE_SUPPLIED || file.state() == pb::PHOTO_STATE_RELEASED ||
                       file.state() == pb::PHOTO_STATE_DARKENED;
    if (!there) return NotNow(v, file);
    View view = Head(v, file);
    view.Set("facts", BanFacts(v, file).views()).Set("path", file.Path("/withdraw"));
    view.Set("back_path", file.Path(file.state() == pb::PHOTO_STATE_SUPPLIED ? "/preview" : ""));
    view.Set("reason", TextField(v, "reason", v.Say("Wat er niet klopt"), Sized(kMaxReason)));
    return v.Page("photo_withdraw", v.Say("Verkeerde foto intrekken"), std::move(view));
  });
}

Response Withdraw(Visit& v) {
  pb::WithdrawWrongPhotoRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_reason(v.Field("reason"));
  if (request.reason().empty()) {
    v.Fault("reason", v.Say("Schrijf wat er niet klopt."));
    return WithdrawPage(v);
  }
  if (const auto error = v.Tell<Service>(&Stub::WithdrawWrongPhoto, request); !error.ok()) {
    Problem(v, error, {"reason"});
    return WithdrawPage(v);
  }
  return v.Done(
      absl::StrCat("/files/", request.ban_id()),
      v.Say("De foto is ingetrokken en wordt vernietigd. Daarna kunt u de juiste foto verstrekken."));
}

constexpr Route kRoutes[] = {
    {"GET", "/files/:ban/request", Who::kSignedIn, &RequestPage},
    {"POST", "/files/:ban/request", Who::kSignedIn, &Request},
    {"GET", "/files/:ban/consent", Who::kSignedIn, &ConsentPage},
    {"POST", "/files/:ban/consent", Who::kSignedIn, &Consent},
    {"GET", "/files/:ban/supply", Who::kSignedIn, &ShowSupply},
    {"POST", "/files/:ban/supply", Who::kSignedIn, &Supply},
    {"POST", "/files/:ban/upload", Who::kSignedIn, &TakeUpload},
    {"GET", "/upload/:name", Who::kSignedIn, &UploadBytes},
    {"POST", "/files/:ban/decline", Who::kSignedIn, &Decline},
    {"GET", "/files/:ban/preview", Who::kSignedIn, &ShowPreview},
    {"POST", "/files/:ban/preview", Who::kSignedIn, &Preview},
    {"GET", "/files/:ban/release", Who::kSignedIn, &ReleasePage},
    {"POST", "/files/:ban/release", Who::kSignedIn, &Release},
    {"GET", "/files/:ban/withdraw", Who::kSignedIn, &WithdrawPage},
    {"POST", "/files/:ban/withdraw", Who::kSignedIn, &Withdraw},
    {"GET", "/files/:ban/view", Who::kSignedIn, &ShowView},
    {"POST", "/files/:ban/view", Who::kSignedIn, &SeePhoto},
    {"GET", "/files/:ban/export", Who::kSignedIn, &ExportPage},
    {"POST", "/files/:ban/export", Who::kSignedIn, &Export},
};

}  // namespace

std::span<const Route> PhotoRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station
