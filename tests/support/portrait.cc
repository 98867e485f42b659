// SPDX-License-Identifier: EUPL-1.2
#include "tests/support/portrait.h"

#include <png.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "server/photos/raster.h"

namespace waarborg::testing {
namespace {

using photos::Raster;
using Colour = std::array<uint8_t, 3>;

constexpr int kW = 826, kH = 1062;

// Fills where `inside` is at least 0, with a soft edge of two pixels; `inside` is a distance in pixels.
template <class F>
void Fill(Raster& r, Colour c, F inside) {
  for (int y = 0; y < r.height; ++y) {
    for (int x = 0; x < r.width; ++x) {
      const double d = inside(x + 0.5, y + 0.5);
      if (d <= -1) continue;
      const double alpha = d >= 1 ? 1 : (d + 1) / 2;
      uint8_t* p = r.At(x, y);
      for (size_t k = 0; k < 3; ++k) p[k] = static_cast<uint8_t>(std::lround(p[k] + alpha * (c[k] - p[k])));
    }
  }
}

auto Ellipse(double cx, double cy, double rx, double ry) {
  return [=](double x, double y) {
    const double u = (x - cx) / rx, v = (y - cy) / ry;
    return (1 - std::sqrt(u * u + v * v)) * std::min(rx, ry);
  };
}

template <class A, class B>
auto Both(A a, B b) {
  return [=](double x, double y) { return std::min(a(x, y), b(x, y)); };
}

template <class A, class B>
auto Without(A a, B b) {
  return [=](double x, double y) { return std::min(a(x, y), -b(x, y)); };
}

auto Above(double line) {
  return [=](double, double y) { return line - y; };
}
auto Below(double line) {
  return [=](double, double y) { return y - line; };
}

Raster Draw(int number) {
  std::mt19937 random(static_cast<unsigned>(number) * 7919u + 17u);
  auto pick = [&](auto& list) { return list[random() % list.size()]; };
  auto between = [&](double a, double b) {
    return a + (b - a) * static_cast<double>(random() % 1000) / 999.0;
  };
  // The first choices follow the number, so that neighbours always differ.
  static const std::vector<Colour> skins{
      {245, 214, 188}, {224, 172, 134}, {176, 120, 84}, {120, 78, 54}, {86, 56, 42}};
  static const std::vector<Colour> hairs{{40, 30, 26},    {106, 66, 36}, {200, 164, 90},
                                         {150, 150, 150}, {140, 50, 30}, {24, 24, 30}};
  static const std::vector<Colour> shirts{{40, 70, 120}, {130, 40, 50},   {50, 100, 70},
                                          {90, 80, 110}, {210, 200, 190}, {40, 40, 44}};
  const Colour skin = skins[static_cast<size_t>(number) % skins.size()];
  const Colour hair = hairs[static_cast<size_t>(number * 5 + 2) % hairs.size()];
  const Colour shirt = pick(shirts);
  const int style = number % 4;  // short, long, bald, curls
  const bool glasses = number % 3 == 1, beard = number % 5 == 2;
  const Colour dark{30, 26, 26}, white{250, 250, 250};
  auto shade = [](Colour c, double f) {
    return Colour{static_cast<uint8_t>(c[0] * f), static_cast<uint8_t>(c[1] * f),
                  static_cast<uint8_t>(c[2] * f)};
  };

  Raster r(kW, kH, 222);
  const double cx = kW / 2.0, cy = 480;
  const double face_x = between(190, 235), face_y = between(265, 300);
  if (style == 1) Fill(r, hair, Both(Ellipse(cx, cy + 60, face_x + 80, face_y + 190), Above(cy + 300)));
  Fill(r, shirt, Ellipse(cx, kH + 60, 400, 330));
  Fill(r, shade(skin, 0.88), Both(Ellipse(cx, cy + 260, 95, 190), Above(kH - 180)));
  for (double side : {-1.0, 1.0}) Fill(r, shade(skin, 0.92), Ellipse(cx + side * face_x, cy + 10, 34, 62));
  Fill(r, skin, Ellipse(cx, cy, face_x, face_y));
  const double hairline = cy - face_y * between(0.38, 0.58);
  if (style == 0) Fill(r, hair, Both(Ellipse(cx, cy - 20, face_x + 18, face_y + 26), Above(hairline)));
  if (style == 1)
    Fill(r, hair,
         Without(Both(Ellipse(cx, cy - 20, face_x + 34, face_y + 34), Above(cy)),
                 Ellipse(cx, cy + 60, face_x - 24, face_y - 10)));
  if (style == 3) {
    for (int i = 0; i < 11; ++i) {
      const double a = 3.14159 * (1.0 + i / 10.0);
      Fill(r, hair, Ellipse(cx + std::cos(a) * (face_x + 6), cy - 40 + std::sin(a) * (face_y - 10), 66, 62));
    }
  }
  if (beard) Fill(r, hair, Both(Ellipse(cx, cy, face_x + 4, face_y + 8), Below(cy + 95)));
  const double eye_y = cy - 20, eye_x = between(78, 96), eye_open = between(15, 24);
  for (double side : {-1.0, 1.0}) {
    Fill(r, white, Ellipse(cx + side * eye_x, eye_y, 36, eye_open));
    Fill(r, shade(hair, 0.7), Ellipse(cx + side * eye_x, eye_y, 14, std::min(eye_open, 14.0)));
    Fill(r, shade(hair, 0.8), Ellipse(cx + side * eye_x, eye_y - between(44, 56), 46, between(6, 13)));
    if (glasses) {
      Fill(r, dark,
           Without(Ellipse(cx + side * eye_x, eye_y, 66, 54), Ellipse(cx + side * eye_x, eye_y, 58, 46)));
    }
  }
  if (glasses) Fill(r, dark, Ellipse(cx, eye_y - 6, 26, 6));
  Fill(r, shade(skin, 0.85), Ellipse(cx, cy + 62, between(24, 40), between(18, 26)));
  const double mouth = between(52, 84);
  Fill(r, shade({190, 90, 90}, skin[0] / 255.0), Ellipse(cx, cy + 150, mouth, between(10, 20)));
  return r;
}

// A comment segment behind the start-of-image marker: metadata that must not survive.
std::string WithComment(const std::string& jpeg) {
  const std::string words = "PORTRAIT-METADATA drawn for tests, position 52.0000 N 5.0000 E";
  std::string segment = "\xFF\xFE";
  segment += static_cast<char>((words.size() + 2) >> 8);
  segment += static_cast<char>((words.size() + 2) & 0xFF);
  return jpeg.substr(0, 2) + segment + words + jpeg.substr(2);
}

std::string EncodePng(const Raster& r) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(r.width);
  image.height = static_cast<png_uint_32>(r.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, r.rgb.data(), 0, nullptr);
  std::string out(size, '\0');
  if (png_image_write_to_memory(&image, out.data(), &size, 0, r.rgb.data(), 0, nullptr) == 0) return "";
  out.resize(size);
  return out;
}

}  // namespace

std::string PortraitJpeg(int number) {
  return WithComment(photos::EncodeJpeg(Draw(number)));
}
std::string PortraitPng(int number) {
  return EncodePng(Draw(number));
}

std::string BadPhoto(const std::string& name) {
  const std::string jpeg = PortraitJpeg(1), png = PortraitPng(1);
  if (name == "text") return "This is a letter, not a picture.\n";
  if (name == "disguised") return "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n";
  if (name == "truncated-jpeg") return jpeg.substr(0, jpeg.size() * 2 / 3);
  if (name == "truncated-png") return png.substr(0, png.size() * 2 / 3);
  if (name == "trailing") return jpeg + "PK\x03\x04 a whole archive could hide here";
  if (name == "trailing-png") return png + "<script>";
  if (name == "too-large") return jpeg + std::string(10u << 20, '\0');
  if (name == "too-small") return photos::EncodeJpeg(photos::FitInto(Draw(1), 64, 82));
  if (name == "too-many-pixels") {
    // A small file that says it is enormous: the header is believed before anything is decoded.
    std::string big = photos::EncodeJpeg(Raster(200, 256, 128));
    for (size_t i = 2; i + 9 < big.size();) {
      const auto marker = static_cast<unsigned char>(big[i + 1]);
      if (marker == 0xC0) {
        big[i + 5] = big[i + 7] = '\x75';
        break;
      }
      i += 2 + (static_cast<size_t>(static_cast<unsigned char>(big[i + 2])) << 8 |
                static_cast<unsigned char>(big[i + 3]));
    }
    return big;
  }
  return "";
}

}  // namespace waarborg::testing
